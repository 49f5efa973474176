import { isIPv4, isIPv6 } from 'node:net';

/** One line of a hand-written file. */
export interface WeightedAddress {
  readonly host: string;
  readonly port: number;
  readonly weight: number;
  /** `version`, `app` and further tags, as written. */
  readonly tags: Readonly<Record<string, string>>;
}

export interface LineProblem {
  /** 1 for the first line. */
  readonly line: number;
  readonly message: string;
}

export interface AddressLines {
  readonly addresses: readonly WeightedAddress[];
  /** Lines that could not be read. */
  readonly errors: readonly LineProblem[];
  /** Oddities that have one clear meaning, such as an address that is listed twice. */
  readonly notes: readonly LineProblem[];
}

/** How much of a bad line a message repeats. */
const QUOTED_LENGTH = 60;
const WEIGHT = /^(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
/** One label of a host name (RFC 1123), with the underscore that Docker and many internal names use. */
const HOST_LABEL = /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/;
const MAX_HOST_LENGTH = 253;
/** A tag; names as labels of Kubernetes have them. */
const TAG = /^([A-Za-z0-9_][\w./-]*)=(\S+)$/;

/**
 * Reads a hand-written file: one `host port` or `host port * weight` per line, separated by blanks, tags (`version=2.0 zone=b`) behind
 * it; `#` begins a comment. But for the tags, the format is that of Linkerd 1's `io.l5d.fs`. Lines may end with LF, CRLF or CR, and a byte order mark is skipped.
 */
export function parseAddressLines(text: string): AddressLines {
  const addresses = new Map<string, WeightedAddress & { readonly line: number }>();
  const errors: LineProblem[] = [];
  const notes: LineProblem[] = [];
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  for (const [index, whole] of lines.entries()) {
    const content = whole.split('#', 1)[0]?.trim() ?? '';
    if (content === '') continue;
    const line = index + 1;
    const parsed = parseLine(content.split(/\s+/));
    if (typeof parsed === 'string') {
      errors.push({ line, message: `${parsed} in ${quote(content)}` });
      continue;
    }
    const key = `${parsed.host} ${parsed.port}`;
    const earlier = addresses.get(key);
    if (earlier !== undefined)
      notes.push({ line, message: `${key} is listed in line ${earlier.line} too; this line counts` });
    addresses.set(key, { ...parsed, line });
  }
  const plain = [...addresses.values()].map(({ host, port, weight, tags }) => ({ host, port, weight, tags }));
  return { addresses: plain, errors, notes };
}

function parseLine(words: readonly string[]): WeightedAddress | string {
  const tagsFrom = words.findIndex((word, index) => index >= 2 && word.includes('='));
  const tags = parseTags(tagsFrom < 0 ? [] : words.slice(tagsFrom));
  if (typeof tags === 'string') return tags;
  const place = tagsFrom < 0 ? words : words.slice(0, tagsFrom);
  const [hostText = '', portText = '', star, weightText] = place;
  if (place.length !== 2 && place.length !== 4) return "expected 'host port' or 'host port * weight', then tags";
  const host = parseHost(hostText);
  if (host === undefined) return `${quote(hostText)} is no host name or IP address`;
  const port = /^\d{1,5}$/.test(portText) ? Number(portText) : 0;
  if (port < 1 || port > 65_535) return `port ${quote(portText)} is no number from 1 to 65535`;
  if (place.length === 2) return { host, port, weight: 1, tags };
  if (star !== '*') return `expected '*' before the weight, not ${quote(star ?? '')}`;
  const weight = WEIGHT.test(weightText ?? '') ? Number(weightText) : NaN;
  if (!Number.isFinite(weight)) return `weight ${quote(weightText ?? '')} is no finite number from 0 up`;
  return { host, port, weight, tags };
}

/** Tags as `name=value`; what is wrong with one of them otherwise. */
function parseTags(words: readonly string[]): Readonly<Record<string, string>> | string {
  const tags = new Map<string, string>();
  for (const word of words) {
    const [, name = '', value = ''] = TAG.exec(word) ?? [];
    if (name === '') return `${quote(word)} is no tag of the form name=value`;
    if (tags.has(name)) return `the tag ${quote(name)} is there twice`;
    tags.set(name, value);
  }
  return Object.fromEntries(tags);
}

/** @returns the host as it is dialled, or undefined when it is none */
function parseHost(text: string): string | undefined {
  if (isIPv4(text) || isIPv6(text)) return text;
  if (text.startsWith('[') && text.endsWith(']')) {
    const inner = text.slice(1, -1);
    return isIPv6(inner) ? inner : undefined;
  }
  if (text.length > MAX_HOST_LENGTH) return undefined;
  const labels = (text.endsWith('.') ? text.slice(0, -1) : text).split('.');
  if (!labels.every((label) => HOST_LABEL.test(label))) return undefined;
  // A name cannot end with a number (WHATWG URL, "ends in a number"): 300.1.1.1 is a mistyped IPv4 address.
  return /^\d+$/.test(labels.at(-1) ?? '') ? expandShortIPv4(labels) : text;
}

/** `127.1` means 127.0.0.1, as Linkerd 1 reads it. Leading zeros would mean octal to some and decimal to others: refused. */
function expandShortIPv4(parts: readonly string[]): string | undefined {
  if (parts.length > 3 || !parts.every((part) => /^(0|[1-9]\d{0,9})$/.test(part))) return undefined;
  const numbers = parts.map(Number);
  const last = numbers.pop() ?? 0;
  const tail = 4 - numbers.length;
  if (last >= 256 ** tail || numbers.some((number) => number > 255)) return undefined;
  for (let place = tail - 1; place >= 0; place -= 1) numbers.push(Math.floor(last / 256 ** place) % 256);
  return numbers.join('.');
}

function quote(text: string): string {
  return JSON.stringify(text.length > QUOTED_LENGTH ? `${text.slice(0, QUOTED_LENGTH)}…` : text);
}
