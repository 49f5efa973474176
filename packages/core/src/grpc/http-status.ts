import { GRPC_STATUS } from './status.js';

const HTTP_OK = 200;

/**
 * The gRPC status of an answer that has none of its own, by its HTTP status (http-grpc-status-mapping.md of the protocol). It is for
 * answers of what stands between client and service, such as load balancers: also 200, under which a gRPC server says its status.
 */
export function grpcStatusOfHttp(status: number): number {
  switch (status) {
    case 400:
      return GRPC_STATUS.INTERNAL;
    case 401:
      return GRPC_STATUS.UNAUTHENTICATED;
    case 403:
      return GRPC_STATUS.PERMISSION_DENIED;
    case 404:
      return GRPC_STATUS.UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504:
      return GRPC_STATUS.UNAVAILABLE;
    default:
      return GRPC_STATUS.UNKNOWN;
  }
}

/** HTTP statuses that mean the same as gRPC statuses, by number, as `google/rpc/code.proto` has them. */
const COUNTERPARTS: readonly number[] = [
  HTTP_OK,
  499,
  500,
  400,
  504,
  404,
  409,
  403,
  429,
  400,
  409,
  400,
  501,
  500,
  503,
  500,
  401,
];

/** The HTTP status that means the same as a gRPC status (`google/rpc/code.proto`); 500 for a number that is no status. */
export function httpStatusOfGrpc(status: number): number {
  return COUNTERPARTS[status] ?? 500;
}
