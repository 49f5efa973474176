import { grpcStatusOfHttp } from './grpc/http-status.js';

/** Whether another attempt of the same call may succeed. */
export type Retryable =
  /** The request never reached the application: any method may be tried again. */
  | 'never-sent'
  /** The request may have been executed: only idempotent methods may be tried again. */
  | 'maybe-executed'
  /** Another attempt would end the same way. */
  | 'no';

export interface ErrorEntry {
  /** HTTP status of the reply that Mesher makes itself. */
  readonly status: number;
  /** gRPC status code of that reply (https://grpc.io/docs/guides/status-codes/). */
  readonly grpcStatus: number;
  readonly retryable: Retryable;
  /** What happened, for people. */
  readonly meaning: string;
  /** What to do about it. */
  readonly remedy: string;
}

/** Every error that Mesher answers with. `docs/reference/errors.md` is generated from this table. */
export const ERRORS = {
  MESH_ERR_BAD_REQUEST: {
    status: 400,
    grpcStatus: 13,
    retryable: 'no',
    meaning: 'The request breaks the framing or syntax rules of HTTP (RFC 9112, RFC 9113), or names no host.',
    remedy: 'Correct the client. The message names the rule that was broken.',
  },
  MESH_ERR_DENIED: {
    status: 403,
    grpcStatus: 7,
    retryable: 'no',
    meaning: 'A policy does not allow this call.',
    remedy: 'Check who calls and the authorization rules of the called service.',
  },
  MESH_ERR_EGRESS_DENIED: {
    status: 403,
    grpcStatus: 7,
    retryable: 'no',
    meaning: 'The host is outside the mesh, and no egress rule allows it.',
    remedy: 'Add the host to egressRule, or set mesher.egress.policy to allow_any.',
  },
  MESH_ERR_NO_ROUTE: {
    status: 404,
    grpcStatus: 12,
    retryable: 'no',
    meaning: 'No service of that name is known to the registry, or no route leads to it.',
    remedy:
      'Check the service name in the URL and that its provider is registered; GET /services on the admin port lists what is known.',
  },
  MESH_ERR_TIMEOUT: {
    status: 504,
    grpcStatus: 4,
    retryable: 'maybe-executed',
    meaning: 'The upstream did not answer in time.',
    remedy: 'Look at the latency of the named service, or raise the timeout.',
  },
  MESH_ERR_TRY_TIMEOUT: {
    status: 504,
    grpcStatus: 4,
    retryable: 'maybe-executed',
    meaning: 'One attempt got no answer in the time that an attempt has.',
    remedy: 'Look at the latency of the named instance, or raise perTryTimeout.',
  },
  MESH_ERR_STATUS: {
    status: 502,
    grpcStatus: 14,
    retryable: 'maybe-executed',
    meaning: 'The upstream answered with a status that counts as a failure and is worth another attempt.',
    remedy: 'Look at the log of the provider. The caller gets this code only when no attempt could be made any more.',
  },
  MESH_ERR_REQUEST_TIMEOUT: {
    status: 408,
    grpcStatus: 4,
    retryable: 'no',
    meaning: 'The client did not send its whole request in time.',
    remedy: 'Send the request faster, or raise the header or idle timeout.',
  },
  MESH_ERR_TOO_LARGE: {
    status: 413,
    grpcStatus: 8,
    retryable: 'no',
    meaning: 'The request body is larger than allowed.',
    remedy: 'Send less, or raise the limit.',
  },
  MESH_ERR_HEADER_TOO_LARGE: {
    status: 431,
    grpcStatus: 8,
    retryable: 'no',
    meaning: 'The request head has too many bytes or too many fields.',
    remedy: 'Send fewer or smaller header fields, or raise maxHeadBytes or maxHeaderFields.',
  },
  MESH_ERR_URI_TOO_LONG: {
    status: 414,
    grpcStatus: 8,
    retryable: 'no',
    meaning: 'The request line does not fit into the largest head that is accepted.',
    remedy: 'Shorten the URL, or raise maxHeadBytes.',
  },
  MESH_ERR_RATE_LIMITED: {
    status: 429,
    grpcStatus: 8,
    retryable: 'no',
    meaning: 'A rate limit is reached.',
    remedy: 'Wait as retry-after says, or raise the limit.',
  },
  MESH_ERR_NOT_IMPLEMENTED: {
    status: 501,
    grpcStatus: 12,
    retryable: 'no',
    meaning: 'The request uses a transfer coding or protocol feature that Mesher does not forward.',
    remedy:
      'Use the chunked transfer coding or a Content-Length. The message names the feature: gRPC needs HTTP/2 on both sides, and CONNECT with :protocol a peer that takes it.',
  },
  MESH_ERR_BAD_UPSTREAM: {
    status: 502,
    grpcStatus: 14,
    retryable: 'maybe-executed',
    meaning: 'The upstream answered with something that is not valid HTTP, or broke off in the middle.',
    remedy: 'Check the provider; the message names what was wrong with its answer.',
  },
  MESH_ERR_UPSTREAM_RESET: {
    status: 502,
    grpcStatus: 14,
    retryable: 'maybe-executed',
    meaning:
      'The upstream closed the connection, or reset the stream, before the first byte of its answer or in the middle of a gRPC stream.',
    remedy: 'Check whether the provider crashes or closes idle connections early.',
  },
  MESH_ERR_CONNECT: {
    status: 502,
    grpcStatus: 14,
    retryable: 'never-sent',
    meaning: 'No connection to the upstream could be made.',
    remedy: 'Check that the instance runs and listens on the registered address and port.',
  },
  MESH_ERR_NO_LOCAL_PORT: {
    status: 502,
    grpcStatus: 14,
    retryable: 'no',
    meaning: 'The sidecar of the called service does not know on which local port its application listens.',
    remedy:
      'Start that sidecar with --service-ports=rest:PORT (or SERVICE_PORTS=rest:PORT), or call it with the port in the URL.',
  },
  MESH_ERR_NO_INSTANCE: {
    status: 503,
    grpcStatus: 14,
    retryable: 'never-sent',
    meaning: 'The service is known, but no instance of it can take the call.',
    remedy: 'Start an instance, or look at GET /services on the admin port to see why each instance is left out.',
  },
  MESH_ERR_NO_SUBSET: {
    status: 503,
    grpcStatus: 14,
    retryable: 'never-sent',
    meaning: 'A route rule chose a part of the instances of the service, and none of that part can take the call.',
    remedy: 'Start an instance with the named tags, correct the rule, or let it fall back (mesher.routing.whenEmpty).',
  },
  MESH_ERR_FAULT_INJECTED: {
    status: 503,
    grpcStatus: 14,
    retryable: 'no',
    meaning: 'A configured fault was injected in place of a call.',
    remedy: 'Remove the fault from the configuration when the experiment is over.',
  },
  MESH_ERR_BULKHEAD_FULL: {
    status: 503,
    grpcStatus: 14,
    retryable: 'never-sent',
    meaning:
      'As many calls of the service are under way as are allowed at once, and the queue is full or the wait too long.',
    remedy: 'Add instances, make the service faster, or raise maxConcurrentRequests.',
  },
  MESH_ERR_BREAKER_OPEN: {
    status: 503,
    grpcStatus: 14,
    retryable: 'never-sent',
    meaning: 'The circuit breaker of the service is open.',
    remedy: 'Wait as retry-after says; look at the errors that opened it.',
  },
  MESH_ERR_OVERLOADED: {
    status: 503,
    grpcStatus: 14,
    retryable: 'never-sent',
    meaning: 'A limit on connections or waiting requests is reached.',
    remedy:
      'Raise maxConnectionsPerEndpoint or maxPendingPerEndpoint, for HTTP/2 maxUpstreamConnections or maxUpstreamStreams, or add instances.',
  },
  MESH_ERR_REGISTRY_UNAVAILABLE: {
    status: 503,
    grpcStatus: 14,
    retryable: 'never-sent',
    meaning: 'The registry has not answered yet, so nothing is known about the service.',
    remedy: 'Check the registry; GET /services on the admin port shows its state and last error.',
  },
  MESH_ERR_DRAINING: {
    status: 503,
    grpcStatus: 14,
    retryable: 'never-sent',
    meaning: 'This sidecar is shutting down.',
    remedy: 'Call another instance.',
  },
  MESH_ERR_LOCAL_DOWN: {
    status: 503,
    grpcStatus: 14,
    retryable: 'never-sent',
    meaning: 'The health checks of the called sidecar say that the application behind it is down.',
    remedy: 'Call another instance; GET /v1/mesher/health on the admin port of that sidecar says which check fails.',
  },
  MESH_REDIRECT: {
    status: 301,
    grpcStatus: 12,
    retryable: 'no',
    meaning: 'A route rule sends the caller elsewhere. This is no error.',
    remedy: 'Follow the Location field, or change the rule.',
  },
  MESH_DIRECT_RESPONSE: {
    status: 200,
    grpcStatus: 12,
    retryable: 'no',
    meaning: 'A route rule answers by itself. This is no error.',
    remedy: 'Change the directResponse of the rule if that is not meant.',
  },
  MESH_ERR_VERSION: {
    status: 505,
    grpcStatus: 12,
    retryable: 'no',
    meaning: 'The request line names an HTTP version other than 1.0 or 1.1.',
    remedy: 'Use HTTP/1.1, or HTTP/2 by prior knowledge or an upgrade to h2c, which every listener takes.',
  },
  MESH_ERR_LOOP: {
    status: 508,
    grpcStatus: 13,
    retryable: 'no',
    meaning: 'The request came back to a sidecar that had already forwarded it in the same direction.',
    remedy: 'Check the registered address of the service: it leads back to a sidecar of the caller.',
  },
  MESH_ERR_PLUGIN: {
    status: 500,
    grpcStatus: 13,
    retryable: 'no',
    meaning: 'A plugin threw an error while it decided about the call.',
    remedy: 'Look at the log line of the named plugin.',
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERRORS;

/**
 * The answer "no" of a policy, a resolver or the executor: cheap to make (no stack), because a breaker that is open makes one
 * per request.
 */
export class Rejection {
  /**
   * @param code which row of {@link ERRORS} this is
   * @param message what happened in this very call; the meaning from the table when left out
   * @param retryAfterSeconds whole seconds for the `retry-after` header
   * @param hint what to do; the remedy from the table when left out
   */
  constructor(
    readonly code: ErrorCode,
    readonly message: string = ERRORS[code].meaning,
    readonly retryAfterSeconds: number | undefined = undefined,
    readonly hint: string = ERRORS[code].remedy,
  ) {}

  get status(): number {
    return ERRORS[this.code].status;
  }

  /** gRPC status for callers of that protocol. */
  get grpcStatus(): number {
    return ERRORS[this.code].grpcStatus;
  }
}

/** A {@link Rejection} whose answer is given in full: an injected fault, a redirect, a fallback. */
export class DirectAnswer extends Rejection {
  readonly #status: number;
  readonly #grpcStatus: number | undefined;

  /**
   * @param code why Mesher answers by itself
   * @param status HTTP status
   * @param body sent as it is, with `contentType`; none when empty
   * @param grpcStatus for gRPC callers, who get no body; the one that their clients would make of an HTTP error `status`, or that of the
   * code, when left out
   */
  constructor(
    code: ErrorCode,
    status: number,
    readonly body: string = '',
    readonly contentType: string = 'text/plain; charset=utf-8',
    message: string = ERRORS[code].meaning,
    grpcStatus?: number,
  ) {
    super(code, message);
    this.#status = status;
    this.#grpcStatus = grpcStatus;
  }

  override get status(): number {
    return this.#status;
  }

  override get grpcStatus(): number {
    const { status } = this;
    // What is no error for HTTP is none that a gRPC client could read: it has no message of the right kind.
    return this.#grpcStatus ?? (status >= LOWEST_ERROR_STATUS ? grpcStatusOfHttp(status) : super.grpcStatus);
  }

  /** The same answer for another reason. */
  withCode(code: ErrorCode): DirectAnswer {
    return new DirectAnswer(code, this.status, this.body, this.contentType, this.message, this.#grpcStatus);
  }
}

const LOWEST_ERROR_STATUS = 400;

const MESH_ERROR_BRAND: symbol = Symbol.for('mesher.error');

/** An error with a stable code, thrown by the APIs of `@mesher/*`. Match on `code`, never on the text. */
export class MeshError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'MeshError';
    this.code = code;
    Object.defineProperty(this, MESH_ERROR_BRAND, { value: true });
  }
}

/** True for a {@link MeshError} of this or another copy of the package, optionally of one code. */
export function isMeshError(value: unknown, code?: string): value is MeshError {
  return (
    typeof value === 'object' &&
    value !== null &&
    MESH_ERROR_BRAND in value &&
    (code === undefined || (value as MeshError).code === code)
  );
}

/** What went wrong, for people: the message of an error, or what was thrown instead of one. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
