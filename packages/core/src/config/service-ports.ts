import { MeshError } from '../errors.js';
import { HIGHEST_PORT, parseHostPort } from './schema/address.js';
import { PROTOCOL_NAME } from './sections/protocols.js';

/** A port on which the local application listens. */
export interface ServicePort {
  /** `rest`, `grpc`, … (`http` is read as `rest`). */
  readonly protocol: string;
  /** Name of the port, from `{protocol}-{name}`; undefined for the main port of the protocol. */
  readonly name?: string;
  /** 1..65535 */
  readonly port: number;
}

const EXAMPLE = 'rest:8080,grpc:9000,rest-admin:8081';

/**
 * Reads `--service-ports` / `SERVICE_PORTS`: `{protocol}[-{name}]:{port}`, separated by commas; spaces do not matter, and `http`
 * is the same as `rest`. An empty text gives no ports.
 * @throws MeshError MESH_ERR_USAGE naming the part that is wrong
 */
export function parseServicePorts(text: string): ServicePort[] {
  const ports: ServicePort[] = [];
  const seen = new Set<string>();
  for (const part of text.split(',').map((piece) => piece.trim())) {
    if (part === '') {
      continue;
    }
    const port = parseServicePort(part);
    const key = `${port.protocol}-${port.name ?? ''}`;
    if (seen.has(key)) {
      throw usage(`'${part}' names a port a second time; 'http' and 'rest' are the same protocol`);
    }
    seen.add(key);
    ports.push(port);
  }
  return ports;
}

/**
 * Reads the older `SPECIFIC_ADDR=host:port`: the HTTP port of the application. The host is not used: the application is local.
 * @throws MeshError MESH_ERR_USAGE when it is no address
 */
export function parseSpecificAddress(text: string): ServicePort[] {
  const address = parseHostPort(text);
  if (typeof address === 'string' || address.port === 0) {
    throw usage(`SPECIFIC_ADDR expects host:port, found '${text}'; better use SERVICE_PORTS`);
  }
  return [{ protocol: 'rest', port: address.port }];
}

function parseServicePort(part: string): ServicePort {
  const pieces = part.split(':').map((piece) => piece.trim());
  const [key = '', portText = ''] = pieces;
  if (pieces.length !== 2 || key === '') {
    throw usage(`'${part}' is not {protocol}:{port}`);
  }
  if (!PROTOCOL_NAME.test(key)) {
    throw usage(`'${key}' is no protocol name; it is {protocol} or {protocol}-{name} with one hyphen`);
  }
  const port = /^\d{1,5}$/.test(portText) ? Number(portText) : 0;
  if (port < 1 || port > HIGHEST_PORT) {
    throw usage(`'${portText}' in '${part}' is no port; it is a number from 1 to ${HIGHEST_PORT}`);
  }
  const [protocol = '', name] = key.split('-');
  return { protocol: protocol === 'http' ? 'rest' : protocol, ...(name === undefined ? {} : { name }), port };
}

function usage(what: string): MeshError {
  return new MeshError('MESH_ERR_USAGE', `${what}. Example: --service-ports=${EXAMPLE}`);
}
