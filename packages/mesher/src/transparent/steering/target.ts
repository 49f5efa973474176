import { canonicalIp } from '@mesher/core';
import { isIP } from 'node:net';

/** Where a request is sent. */
export interface Target {
  /** A name in lower case without a final dot, or an IP address as RFC 5952 writes it, without brackets. */
  readonly host: string;
  /** Undefined: none was written. */
  readonly port: number | undefined;
}

/** RFC 1035, 2.3.4. */
const MAX_HOST = 253;
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
const PORT = /^\d{1,5}$/;
const MAX_PORT = 65_535;

/**
 * Reads `host`, `host:port`, `10.0.0.1:80` or `[fd77::1]:80`, in time linear to its length.
 * @returns undefined for anything else
 */
export function readTarget(text: string): Target | undefined {
  const bracket = text.startsWith('[') ? text.indexOf(']') : -1;
  if (text.startsWith('[') && bracket < 0) return undefined;
  const colon = text.indexOf(':', bracket + 1);
  const written = colon < 0 ? text : text.slice(0, colon);
  const host = bracket < 0 ? readName(written) : readIPv6(written);
  if (host === undefined) return undefined;
  if (colon < 0) return { host, port: undefined };
  const digits = text.slice(colon + 1);
  const port = PORT.test(digits) ? Number(digits) : 0;
  return port >= 1 && port <= MAX_PORT ? { host, port } : undefined;
}

function readIPv6(written: string): string | undefined {
  const address = written.slice(1, -1);
  // A zone is a matter of the machine that wrote it.
  return written.endsWith(']') && isIP(address) === 6 && !address.includes('%') ? canonicalIp(address) : undefined;
}

function readName(written: string): string | undefined {
  if (written.length > MAX_HOST + 1) return undefined;
  const name = (written.endsWith('.') ? written.slice(0, -1) : written).toLowerCase();
  return name.length <= MAX_HOST && name.split('.').every((label) => LABEL.test(label)) ? name : undefined;
}
