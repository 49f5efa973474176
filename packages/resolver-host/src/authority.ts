import { isIP } from 'node:net';
import type { Destination } from '@mesher/core';

/** The two parts of an authority. */
export interface Authority {
  /** Without brackets. */
  readonly host: string;
  readonly port: number | undefined;
}

/** Splits `host`, `host:port`, `[ipv6]:port`. The syntax has been checked by the wire. */
export function splitAuthority(authority: string): Authority {
  const end = authority.lastIndexOf(']');
  const colon = authority.indexOf(':', end + 1);
  const host = colon < 0 ? authority : authority.slice(0, colon);
  const port = colon < 0 ? undefined : Number(authority.slice(colon + 1));
  return { host: end > 0 ? host.slice(1, -1) : host, port: port !== undefined && port > 0 ? port : undefined };
}

/** The destination that an authority names directly; undefined for addresses, which name no service. */
export function destinationOf(authority: string): Destination | undefined {
  const { host, port } = splitAuthority(authority);
  if (host === '' || isIP(host) !== 0) return undefined;
  return port === undefined ? { service: host } : { service: host, port };
}
