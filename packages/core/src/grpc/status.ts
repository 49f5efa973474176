/** The statuses of gRPC by name (https://grpc.io/docs/guides/status-codes/). */
export const GRPC_STATUS = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

export type GrpcStatusName = keyof typeof GRPC_STATUS;

/** Names by number. */
export const GRPC_STATUS_NAMES: readonly GrpcStatusName[] = Object.keys(GRPC_STATUS) as GrpcStatusName[];

/** Highest number that is a status. */
export const HIGHEST_GRPC_STATUS = 16;

/** The name of a status; UNKNOWN for a number that is none, as clients take it. */
export function grpcStatusName(status: number): GrpcStatusName {
  return GRPC_STATUS_NAMES[status] ?? 'UNKNOWN';
}

/**
 * A status as people write it: `UNAVAILABLE`, `unavailable`, `deadline-exceeded`, `grpc_unavailable`, `14`, `grpc_14`.
 * @returns undefined when it is none
 */
export function parseGrpcStatus(text: string): number | undefined {
  const word = text
    .toUpperCase()
    .replaceAll('-', '_')
    .replace(/^GRPC_/, '');
  if (/^\d{1,2}$/.test(word)) return Number(word) <= HIGHEST_GRPC_STATUS ? Number(word) : undefined;
  // The spelling of Go and of people who speak American.
  const name = word === 'CANCELED' ? 'CANCELLED' : word;
  return Object.hasOwn(GRPC_STATUS, name) ? GRPC_STATUS[name as GrpcStatusName] : undefined;
}
