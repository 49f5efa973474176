import { httpStatusOfGrpc } from './http-status.js';
import { GRPC_STATUS, GRPC_STATUS_NAMES, parseGrpcStatus } from './status.js';

/** `503`, `http_503`, `5xx`. */
const HTTP_STATUS = /^(?:http_)?([1-5])(\d\d|xx)$/i;

/**
 * Statuses of gRPC that a list of statuses means: those that are named (`unavailable`), and those whose HTTP counterpart
 * (`google/rpc/code.proto`) is. UNIMPLEMENTED (501) and CANCELLED (499) are never meant by a class: that a method is not there, or that
 * somebody gave up, says nothing about an instance.
 * @returns one bit per status
 */
export function grpcStatusMask(names: readonly string[]): number {
  let mask = 0;
  for (const name of names) {
    const [, first, rest = ''] = HTTP_STATUS.exec(name) ?? [];
    if (first === undefined) {
      const status = parseGrpcStatus(name);
      if (status !== undefined) mask |= 1 << status;
      continue;
    }
    const isClass = !/\d/.test(rest);
    for (const status of GRPC_STATUS_NAMES.keys()) {
      const counterpart = httpStatusOfGrpc(status);
      const isMeant = isClass
        ? Math.floor(counterpart / 100) === Number(first) && !SAYS_NOTHING.has(status)
        : counterpart === Number(first + rest);
      if (isMeant) mask |= 1 << status;
    }
  }
  return mask;
}

/** Statuses that say nothing about the instance that gives them. */
const SAYS_NOTHING: ReadonlySet<number> = new Set([GRPC_STATUS.CANCELLED, GRPC_STATUS.UNIMPLEMENTED]);
