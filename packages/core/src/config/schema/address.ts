import { isIPv6 } from 'node:net';

/** Host and port. IPv6 hosts are without brackets here. */
export interface HostPort {
  readonly host: string;
  /** 0..65535; 0 lets the system choose where that makes sense. */
  readonly port: number;
}

export const HIGHEST_PORT = 65_535;

const HOST_NAME = /^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252}[A-Za-z0-9_.])?$/;

/**
 * Reads `host:port`: `127.0.0.1:30101`, `[::1]:30101`, `orders.local:80`. An empty host (`:6060`, as Go writes "everywhere")
 * becomes `0.0.0.0`.
 * @returns what is wrong, as a text that continues "expects …", when it is no address
 */
export function parseHostPort(text: string): HostPort | string {
  const trimmed = text.trim();
  if (trimmed.includes('://')) {
    return 'host:port without a scheme, such as 127.0.0.1:30101';
  }
  const colon = trimmed.lastIndexOf(':');
  if (colon < 0) {
    return 'host:port, such as 127.0.0.1:30101 (the port is missing)';
  }
  const portText = trimmed.slice(colon + 1);
  const rawHost = trimmed.slice(0, colon);
  const bracketed = /^\[(.*)\]$/.exec(rawHost);
  if (bracketed === null && rawHost.includes(':')) {
    return 'an IPv6 host in brackets, such as [::1]:30101';
  }
  const host = bracketed?.[1] ?? (rawHost === '' ? '0.0.0.0' : rawHost);
  if (bracketed === null ? !HOST_NAME.test(host) : !isIPv6(host)) {
    return 'host:port with a host name, an IPv4 address or an IPv6 address in brackets';
  }
  const port = /^\d{1,5}$/.test(portText) ? Number(portText) : Number.NaN;
  if (!(port <= HIGHEST_PORT)) {
    return `host:port with a port from 0 to ${HIGHEST_PORT}`;
  }
  return { host, port };
}

/** `host:port`, with brackets around IPv6. */
export function formatHostPort({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
