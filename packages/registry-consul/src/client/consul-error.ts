import { MeshError } from '@mesher/core';

export { messageOf } from '@mesher/core';

/** What can go wrong with Consul. */
export type ConsulErrorCode =
  /** A setting that cannot be used. */
  | 'CONSUL_SETTING'
  /** No connection, no whole answer in time, or Consul is in trouble itself (an election, too many requests). */
  | 'CONSUL_UNREACHABLE'
  /** The token does not let us do this, or see this. */
  | 'CONSUL_DENIED'
  /** It does not know what the request is about: a check, a service id. */
  | 'CONSUL_UNKNOWN'
  /** It refuses the request, and would again. */
  | 'CONSUL_REFUSED'
  /** An answer that is none of Consul's. */
  | 'CONSUL_ANSWER'
  /** This client was closed. */
  | 'CONSUL_CLOSED';

/** A failure with Consul. The message names the address and says what to do; it holds no token. */
export class ConsulError extends MeshError {
  /** @param status of the HTTP answer; undefined when there was none */
  constructor(
    code: ConsulErrorCode,
    message: string,
    readonly status?: number,
  ) {
    super(code, message);
    this.name = 'ConsulError';
  }
}

/** The code of a failure with Consul; undefined for any other error. */
export function codeOf(error: unknown): ConsulErrorCode | undefined {
  return error instanceof ConsulError ? (error.code as ConsulErrorCode) : undefined;
}

/** Longest piece of an answer that is shown. */
const MAX_SHOWN = 200;

/**
 * The failure that an answer other than 2xx stands for.
 * @param origin of the agent, as shown to people
 */
export function errorOfAnswer(origin: string, status: number, body: string): ConsulError {
  const [line = ''] = body.trim().split('\n', 1);
  const said = line === '' ? `HTTP ${status}` : `HTTP ${status}: ${line.slice(0, MAX_SHOWN)}`;
  if (status === 401 || status === 403) {
    const what = 'look at the token (servicecomb.registry.consul.token, CONSUL_HTTP_TOKEN) and its policies';
    return new ConsulError('CONSUL_DENIED', `Consul at ${origin} says ${said}; ${what}`, status);
  }
  if (status === 404 || isUnknownCheck(status, body)) {
    const hint = /^(?:404 page not found$|[<{])/.test(line) ? '; is that the address of a Consul agent?' : '';
    return new ConsulError('CONSUL_UNKNOWN', `Consul at ${origin} says ${said}${hint}`, status);
  }
  const isPassing = status === 429 || status >= 500;
  return new ConsulError(
    isPassing ? 'CONSUL_UNREACHABLE' : 'CONSUL_REFUSED',
    `Consul at ${origin} says ${said}`,
    status,
  );
}

/** Agents before 1.10 answer so for a check that they have forgotten, or whose service was taken out; since then it is 404. */
function isUnknownCheck(status: number, body: string): boolean {
  return status === 500 && /does not have associated TTL|unknown check/i.test(body);
}
