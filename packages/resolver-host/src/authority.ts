import { isIP } from 'node:net';
import type { Destination } from '@mesher/core';

/** A host name has at most 253 characters (RFC 1035, 2.3.4), and a port five: what is longer names nothing. */
export const MAX_AUTHORITY_LENGTH = 260;

const HIGHEST_PORT = 65_535;

/** The two parts of an authority. */
export interface Authority {
  /** Without brackets. */
  readonly host: string;
  /** 1..65535; undefined when there is none, or a number that is no port. */
  readonly port: number | undefined;
}

/** Splits `host`, `host:port`, `[ipv6]:port`. The syntax has been checked by the wire. */
export function splitAuthority(authority: string): Authority {
  const end = authority.lastIndexOf(']');
  const colon = authority.indexOf(':', end + 1);
  const host = colon < 0 ? authority : authority.slice(0, colon);
  const port = colon < 0 ? 0 : Number(authority.slice(colon + 1));
  return {
    host: end > 0 ? host.slice(1, end) : host,
    port: Number.isInteger(port) && port > 0 && port <= HIGHEST_PORT ? port : undefined,
  };
}

/**
 * The destination that an authority names directly; undefined for addresses, which name no service. A dot at the end of a host says
 * that the name is complete (RFC 1034, 3.1) and is no part of it.
 */
export function destinationOf(authority: string): Destination | undefined {
  if (authority.length > MAX_AUTHORITY_LENGTH) return undefined;
  const { host, port } = splitAuthority(authority);
  const service = host.endsWith('.') ? host.slice(0, -1) : host;
  if (service === '' || isIP(service) !== 0) return undefined;
  return port === undefined ? { service } : { service, port };
}
