import type { ErrorCode } from '../../errors.js';
import { grpcStatusMask } from '../../grpc/failure-statuses.js';

/** What went wrong with an attempt, as far as retries tell it apart. */
export const FAILURE = {
  /** No connection could be made, or the instance said that it is going away: it has not seen the request. */
  connect: 1,
  /** The connection broke before an answer began, or what came was none. */
  reset: 2,
  /** The attempt took too long. */
  timeout: 4,
} as const;

/** Failures that are worth another attempt without being asked for. */
const ALWAYS = FAILURE.connect | FAILURE.reset;

/** Failures that each name of a condition stands for. `5xx` and `gateway-error` include that there was no answer at all. */
const FAILURES_OF: Readonly<Record<string, number>> = {
  'connect-failure': FAILURE.connect,
  // An HTTP/2 stream that was refused is an attempt that was never looked at; wires report it like a failed connect.
  'refused-stream': FAILURE.connect,
  reset: FAILURE.reset,
  timeout: FAILURE.timeout,
  'gateway-error': FAILURE.reset | FAILURE.timeout,
  '5xx': FAILURE.reset | FAILURE.timeout,
};

const LOWEST_STATUS = 400;
const HIGHEST_STATUS = 599;

const GATEWAY_ERRORS: readonly number[] = [502, 503, 504];
/** Conflict is the one client error that may be gone with the next attempt. */
const RETRIABLE_4XX: readonly number[] = [409];

/** All statuses that begin with one digit. */
const STATUS_CLASS = /^[45]xx$/;

/** The failure that a code stands for; 0 for one after which another attempt would be in vain. */
export function failureOf(code: ErrorCode): number {
  switch (code) {
    case 'MESH_ERR_CONNECT':
    case 'MESH_ERR_DRAINING':
    case 'MESH_ERR_LOCAL_DOWN':
      return FAILURE.connect;
    case 'MESH_ERR_UPSTREAM_RESET':
    case 'MESH_ERR_BAD_UPSTREAM':
      return FAILURE.reset;
    case 'MESH_ERR_TRY_TIMEOUT':
    case 'MESH_ERR_TIMEOUT':
      return FAILURE.timeout;
    default:
      return 0;
  }
}

/** `retryOn`, compiled. */
export class RetryConditions {
  readonly failures: number;
  /** One byte per status from 400 on; undefined when no status is worth another attempt. */
  readonly #statuses: Uint8Array | undefined;
  /** One bit per gRPC status. */
  readonly #grpc: number;

  /** @param names known conditions and statuses; none for what is always worth another attempt */
  constructor(readonly names: readonly string[]) {
    this.failures = names.reduce((mask, name) => mask | (FAILURES_OF[name] ?? 0), ALWAYS);
    this.#grpc = grpcStatusMask(
      names.flatMap((name) => (name === 'gateway-error' ? GATEWAY_ERRORS.map(String) : name)),
    );
    const statuses = names.flatMap(statusesOf).filter((status) => status >= LOWEST_STATUS && status <= HIGHEST_STATUS);
    if (statuses.length === 0) return;
    this.#statuses = new Uint8Array(HIGHEST_STATUS - LOWEST_STATUS + 1);
    for (const status of statuses) this.#statuses[status - LOWEST_STATUS] = 1;
  }

  /** Answers have to be looked at. */
  get watchesAnswers(): boolean {
    return this.#statuses !== undefined || this.#grpc !== 0;
  }

  /** @param grpcStatus that of a gRPC answer, which then decides alone */
  hasStatus(status: number, grpcStatus?: number): boolean {
    if (grpcStatus !== undefined) return (this.#grpc & (1 << grpcStatus)) !== 0;
    return this.#statuses?.[status - LOWEST_STATUS] === 1;
  }
}

function statusesOf(name: string): readonly number[] {
  switch (name) {
    case 'gateway-error':
      return GATEWAY_ERRORS;
    case 'retriable-4xx':
      return RETRIABLE_4XX;
    default: {
      if (STATUS_CLASS.test(name)) return Array.from({ length: 100 }, (_, index) => Number(name[0]) * 100 + index);
      const status = Number(name);
      return Number.isInteger(status) ? [status] : [];
    }
  }
}
