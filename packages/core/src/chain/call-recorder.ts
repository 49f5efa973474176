import { ERRORS, type ErrorCode } from '../errors.js';
import { grpcStatusOfHttp, httpStatusOfGrpc } from '../grpc/http-status.js';
import type { Invocation, Outcome } from '../invocation.js';
import { UNKNOWN_SERVICE, type CallMetrics } from '../telemetry/call-metrics.js';

/** Writes what happens to calls into the metrics; with metrics off, there is none and nothing is written. */
export class CallRecorder {
  constructor(private readonly metrics: CallMetrics | undefined) {}

  /** Slot for the calls of a service; -1 with metrics off. */
  slot(call: Invocation, service: string): number {
    return this.metrics === undefined ? -1 : this.metrics.slotFor(call.direction, service);
  }

  /** The call counts as being under way from now on, for the service of `slot`. */
  started(call: Invocation, slot: number): void {
    call.metricsSlot = slot;
    this.metrics?.started(slot);
  }

  /**
   * Counts the caller of an inbound call; who it is, is only asked when metrics are on. That of a connection is counted when it ends: it
   * may turn out to hold requests, which are counted themselves.
   */
  arrived(call: Invocation): void {
    if (call.protocol !== 'tcp') this.metrics?.sources.count(call.source);
  }

  retried(call: Invocation, code: ErrorCode): void {
    this.metrics?.countRetry(call.metricsSlot, code);
  }

  /** The call is over. One that ended before its service was known is counted here as a whole. */
  ended(call: Invocation, outcome: Outcome): void {
    const { metrics } = this;
    if (metrics === undefined) return;
    if (outcome.superseded === true) {
      metrics.withdrawn(call.metricsSlot);
      return;
    }
    if (call.protocol === 'tcp' && call.direction === 'inbound') metrics.sources.count(call.source);
    if (call.metricsSlot < 0) this.started(call, this.slot(call, UNKNOWN_SERVICE));
    metrics.countBytes(call.metricsSlot, call.requestBytes, call.responseBytes);
    const { aborted } = outcome;
    const grpcStatus = call.protocol === 'grpc' && !aborted ? grpcStatusOf(outcome) : undefined;
    if (grpcStatus !== undefined) metrics.countGrpc(call.metricsSlot, grpcStatus);
    // Under HTTP nearly every gRPC call is a 200: its class is that of the HTTP status which means the same.
    const status = grpcStatus === undefined ? outcome.status : httpStatusOfGrpc(grpcStatus);
    metrics.record(call.metricsSlot, status, outcome.durationMs, aborted);
    metrics.responses.count(outcome.status, call);
    if (outcome.code !== undefined) metrics.countRejection(call.metricsSlot, outcome.code);
  }
}

/** The gRPC status that the caller has seen. An answer that breaks off has none; clients make something of its end that is near ours. */
function grpcStatusOf({ grpcStatus, code, status }: Outcome): number | undefined {
  if (grpcStatus !== undefined) return grpcStatus;
  if (code !== undefined) return ERRORS[code].grpcStatus;
  return status === 0 ? undefined : grpcStatusOfHttp(status);
}
