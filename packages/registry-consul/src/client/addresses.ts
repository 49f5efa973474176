import { ConsulError } from './consul-error.js';

/** Where a Consul agent is. */
export interface AgentAddress {
  /** For people and logs: `http://127.0.0.1:8500`, `unix:///run/consul.sock`. */
  readonly shown: string;
  /** Base of the URLs, up to and without `/v1`. */
  readonly base: string;
  readonly isTls: boolean;
  /** Path of the Unix socket; undefined for TCP. */
  readonly socketPath: string | undefined;
}

/** Where an agent listens when nobody says where. */
export const DEFAULT_ADDRESS = '127.0.0.1:8500';

/**
 * Reads an address as `CONSUL_HTTP_ADDR` has it: `host:port`, `http://...`, `https://...` (with a path where there is a gateway),
 * `unix:///path`. Without a scheme `ssl` decides; a scheme wins over it, as in Consul's own client. Login data in a URL is refused,
 * because addresses are logged.
 * @param ssl `CONSUL_HTTP_SSL`
 * @throws ConsulError CONSUL_SETTING
 */
export function readAddress(text: string, ssl: boolean): AgentAddress {
  const trimmed = text.trim().replace(/^consul:\/\//i, '');
  if (/^unix:\/\//i.test(trimmed)) {
    const socketPath = trimmed.slice('unix://'.length);
    if (socketPath === '') throw refused(text);
    return { shown: trimmed, base: 'http://localhost', isTls: false, socketPath };
  }
  try {
    const url = new URL(trimmed.includes('://') ? trimmed : `${ssl ? 'https' : 'http'}://${trimmed}`);
    const isHttp = url.protocol === 'http:' || url.protocol === 'https:';
    if (!isHttp || url.username !== '' || url.password !== '' || url.hostname === '') throw refused(text);
    const base = `${url.origin}${url.pathname.replace(/\/+$/, '').replace(/\/v1$/, '')}`;
    return { shown: base, base, isTls: url.protocol === 'https:', socketPath: undefined };
  } catch {
    throw refused(text);
  }
}

function refused(text: string): ConsulError {
  const shown = text.replace(/\/\/[^/@]*@/, '//***@');
  return new ConsulError(
    'CONSUL_SETTING',
    `'${shown}' is no address of Consul like 127.0.0.1:8500, https://consul:8501 or unix:///run/consul.sock (login data has keys of its own)`,
  );
}
