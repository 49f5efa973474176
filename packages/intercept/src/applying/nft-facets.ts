/**
 * What of a rule nft prints as it was written, whatever its version: addresses, ports, owners, interfaces, marks, shares, and what is done.
 * The rest (`tcp flags`, `ct state`, `fib`, `meta l4proto`) has many spellings.
 */
const FACETS = [
  /\b[sd]addr (?:!= )?\S+/g,
  /\b[sd]port (?:!= )?(?:\{[^}]*\}|\S+)/g,
  /\bsk[ug]id (?:!= )?\S+/g,
  /\b[io]ifname (?:!= )?\S+/g,
  /\b(?:mark|zone) (?:set |!= )?\S+/g,
  /\brandom mod \d+ < \d+/g,
  /\b(?:jump|redirect to|tproxy to|dnat to|goto) \S+/g,
  /\b(?:return|drop|accept|reject)\b/g,
];

/** Those parts of a rule in one spelling; two rules with the same comment that differ in them do different things. */
export function facetsOf(rule: string): string {
  const bare = rule.replace(/\bcomment "[^"]*"/, '');
  return FACETS.flatMap((facet) => bare.match(facet) ?? [])
    .map(inOneSpelling)
    .join('; ');
}

function inOneSpelling(facet: string): string {
  return facet
    .replace(/\{\s*([^}]*?)\s*\}/, (_, items: string) => items.split(/\s*,\s*/).join(','))
    .replace(/0x[0-9a-f]+/g, (mark) => String(Number(mark)))
    .replace(/^(.addr .*)\/(?:32|128)$/, '$1');
}
