import { readTarget, type Target } from './target.js';

/** Longest value that is read, in characters: room for some twenty pairs; it is kept for as long as its inbound request lasts. */
export const MAX_ROUTE_VALUE = 1024;

/** `none`: no pair is for the host. */
export type RouteLookup = Target | 'none' | 'malformed';

/**
 * What `from=to,from=to` says about a host: the first pair that is for it counts. A pair that leads to itself is passed over. Pairs are
 * read up to that one, as netramesh does, so that what it makes of a value is what is made of it here. `;` separates, too, as before its
 * version 0.7: neither hosts nor ports have one. Takes time linear to the length of the value.
 * @param host as the request names it, with its port if there is one; letter case does not count
 */
export function findRoute(value: string, host: string): RouteLookup {
  if (value.length > MAX_ROUTE_VALUE) return 'malformed';
  const wanted = host.toLowerCase();
  for (const pair of value.split(/[,;]/)) {
    const equals = pair.indexOf('=');
    if (equals < 0) return 'malformed';
    const from = pair.slice(0, equals).trim().toLowerCase();
    const to = pair.slice(equals + 1).trim();
    if (from !== wanted || from === to.toLowerCase()) continue;
    return readTarget(to) ?? 'malformed';
  }
  return 'none';
}

/**
 * The value of a cookie, without quotes.
 * @param field all of `Cookie`; several fields are joined by `; ` or `, `
 */
export function cookieValue(field: string, name: string): string | undefined {
  const begin = `${name}=`;
  for (const part of field.split(';')) {
    const piece = part.trimStart();
    const joined = piece.startsWith(begin) ? 0 : piece.indexOf(`, ${begin}`);
    if (joined < 0) continue;
    const value = piece.slice(joined === 0 ? begin.length : joined + 2 + begin.length).trim();
    return copied(value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value);
  }
  return undefined;
}

/** V8 makes a part of a text by pointing to the whole, which a route of some bytes would keep for as long as it is remembered. */
function copied(text: string): string {
  return Buffer.from(text).toString();
}
