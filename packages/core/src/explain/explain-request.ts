import { MeshError } from '../errors.js';
import type { CallProtocol, Direction } from '../invocation.js';

/** The call that is to be explained. Only `url` must be given. */
export interface ExplainRequest {
  /** `GET` when left out, `POST` for gRPC. */
  readonly method?: string;
  /** `http://world/v2?x=1`, or a path, whose host is then that of the header `host`. */
  readonly url: string;
  /** Header fields; names in any case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** `outbound` when left out: the local application calls. */
  readonly direction?: Direction;
  /** When left out `grpc` if the content-type says so, else `http`. */
  readonly protocol?: CallProtocol;
  /** Name of the calling service, for an inbound call; found out from address and headers when left out. */
  readonly source?: string;
  /** Address of the caller; loopback when left out. */
  readonly remoteAddress?: string;
  /** Asks the registry about a service that nobody has called yet, which from then on is watched. */
  readonly watch?: boolean;
}

/** As long as the longest head that the proxy takes, and then some: whoever asks about more has a mistake in the question. */
const MAX_URL = 64 * 1024;
const MAX_HEADERS = 200;
const MAX_HEADER_LENGTH = 64 * 1024;

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const TEXT_KEYS = ['method', 'url', 'direction', 'protocol', 'source', 'remoteAddress'] as const;
const KEYS: ReadonlySet<string> = new Set([...TEXT_KEYS, 'headers', 'watch']);

/**
 * Checks a request that came as data, from a command line or over a wire.
 * @throws MeshError MESH_ERR_EXPLAIN_REQUEST with what is wrong
 */
export function readExplainRequest(value: unknown): ExplainRequest {
  const request = objectOf(value, 'the request');
  for (const key of Object.keys(request)) {
    if (!KEYS.has(key)) throw wrong(`it has the unknown member '${key}'; known are ${[...KEYS].join(', ')}`);
  }
  for (const key of TEXT_KEYS) {
    const text = request[key];
    if (text !== undefined && typeof text !== 'string') throw wrong(`'${key}' is no text`);
  }
  const headers = readHeaders(request['headers'] ?? {});
  const { url, direction = 'outbound', protocol = spokenBy(headers), watch = false } = request;
  // Calls of gRPC know no other method.
  const { method = protocol === 'grpc' ? 'POST' : 'GET' } = request;
  if (typeof url !== 'string' || url === '') throw wrong("it needs a 'url' such as http://world/v2");
  if (url.length > MAX_URL) throw wrong(`'url' has more than ${MAX_URL} characters`);
  if (!TOKEN.test(method as string)) throw wrong(`'method' is ${JSON.stringify(method)}, which is no method`);
  if (direction !== 'outbound' && direction !== 'inbound') throw wrong("'direction' is neither outbound nor inbound");
  if (protocol !== 'http' && protocol !== 'grpc' && protocol !== 'tcp') {
    throw wrong("'protocol' is none of http, grpc and tcp");
  }
  if (typeof watch !== 'boolean') throw wrong("'watch' is neither true nor false");
  return {
    ...(request as Partial<ExplainRequest>),
    url,
    method: method as string,
    direction,
    protocol,
    watch,
    headers,
  };
}

/** The type alone, with a suffix (`+proto`) or parameters; gRPC-Web (`application/grpc-web`) is another protocol. */
const GRPC_TYPE = /^application\/grpc(?:[+;\s]|$)/i;

/** As the wire tells them apart. */
function spokenBy(headers: Readonly<Record<string, string>>): CallProtocol {
  const type = Object.entries(headers).find(([name]) => name.toLowerCase() === 'content-type')?.[1];
  return type !== undefined && GRPC_TYPE.test(type) ? 'grpc' : 'http';
}

function readHeaders(value: unknown): Record<string, string> {
  const headers = objectOf(value, "'headers'");
  const names = Object.keys(headers);
  if (names.length > MAX_HEADERS) throw wrong(`it has more than ${MAX_HEADERS} header fields`);
  const read: Record<string, string> = {};
  for (const name of names) {
    const text = headers[name];
    if (!TOKEN.test(name)) throw wrong(`${JSON.stringify(name)} is no name of a header field`);
    if (typeof text !== 'string') throw wrong(`the header field ${name} is no text`);
    if (text.length > MAX_HEADER_LENGTH) throw wrong(`the header field ${name} is too long`);
    read[name] = text;
  }
  return read;
}

function objectOf(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(`${what} is no JSON object`);
  return value as Record<string, unknown>;
}

function wrong(problem: string): MeshError {
  return new MeshError('MESH_ERR_EXPLAIN_REQUEST', `this call cannot be explained: ${problem}`);
}
