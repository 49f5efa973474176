import type { InstanceAddress } from '../instance.js';

/** Longest address with its flags. */
const MAX_ENDPOINT_LENGTH = 2_048;
const ENDPOINT =
  /^([A-Za-z0-9][\w.+-]{0,63}):\/\/(\[[0-9A-Fa-f:.]{2,45}(?:%[\w.-]{1,32})?\]|[\w.-]{1,253}):(\d{1,5})(?:\/[^?]*)?(?:\?(.*))?$/;

/** `rest://10.0.0.1:8080?sslEnabled=true`: the scheme is the name of the protocol, flags stand in the query. */
export function readEndpoint(text: unknown): { protocol: string; address: InstanceAddress } | undefined {
  if (typeof text !== 'string' || text.length > MAX_ENDPOINT_LENGTH) return undefined;
  const [, protocol, host, digits, query] = ENDPOINT.exec(text.trim()) ?? [];
  const port = Number(digits);
  if (protocol === undefined || host === undefined || !(port >= 1 && port <= 65_535)) return undefined;
  const tls = new URLSearchParams(query ?? '').get('sslEnabled') === 'true';
  return { protocol, address: { host: host.replace(/^\[|\]$/g, ''), port, tls } };
}

/** The same the other way round. */
export function writeEndpoint(protocol: string, { host, port, tls }: InstanceAddress): string {
  const shown = host.includes(':') ? `[${host}]` : host;
  return `${protocol}://${shown}:${port}${tls ? '?sslEnabled=true' : ''}`;
}
