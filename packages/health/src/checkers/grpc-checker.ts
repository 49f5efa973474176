import { formatHostPort, type HealthChecker, type HealthResult, type LocalTarget } from '@mesher/core';
import { decodeHealthCheckResponse, encodeHealthCheckRequest, SERVING_STATUS } from './grpc-health-messages.js';

const METHOD = '/grpc.health.v1.Health/Check';
/** An answer has two bytes; a server that sends more than this speaks of something else. */
const MAX_ANSWER_BYTES = 4096;

const WORDS: Readonly<Record<number, string>> = {
  [SERVING_STATUS.UNKNOWN]: 'UNKNOWN',
  [SERVING_STATUS.SERVING]: 'SERVING',
  [SERVING_STATUS.NOT_SERVING]: 'NOT_SERVING',
  [SERVING_STATUS.SERVICE_UNKNOWN]: 'SERVICE_UNKNOWN',
};

/**
 * Asks by the gRPC health checking protocol. Each check has a channel of its own: whether a connection can be made is part of the
 * question, and a channel that waits after a failure would answer for the server.
 */
export const GRPC_CHECKER: HealthChecker = {
  // 10 MB that only this protocol needs.
  prepare: () => import('@grpc/grpc-js'),
  async check(target: LocalTarget, signal: AbortSignal): Promise<HealthResult> {
    const grpc = await import('@grpc/grpc-js');
    const client = new grpc.Client(formatHostPort(target), grpc.credentials.createInsecure(), {
      // The environment of the application names this very sidecar as its proxy.
      'grpc.enable_http_proxy': 0,
      'grpc.enable_retries': 0,
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_receive_message_length': MAX_ANSWER_BYTES,
      // A channel that lives for one call is no subject of debugging.
      'grpc.enable_channelz': 0,
      'grpc.primary_user_agent': 'mesher-health-check',
    });
    try {
      return await new Promise<HealthResult>((resolve) => {
        const call = client.makeUnaryRequest(
          METHOD,
          encodeHealthCheckRequest,
          decodeHealthCheckResponse,
          serviceOf(target),
          (error, status) => {
            signal.removeEventListener('abort', stop);
            if (error === null) resolve(resultOf(status));
            else resolve({ healthy: false, ...explain(error.code, error.details, grpc.status) });
          },
        );
        const stop = (): void => call.cancel();
        signal.addEventListener('abort', stop, { once: true });
        if (signal.aborted) stop();
      });
    } finally {
      client.close();
    }
  },
};

/** The service in the path of `uri`; the empty name asks about the server as a whole. */
function serviceOf({ uri }: LocalTarget): string {
  return uri === undefined ? '' : uri.slice(1);
}

function resultOf(status: number | undefined): HealthResult {
  const word = status === undefined ? 'an empty answer' : (WORDS[status] ?? `status ${status}`);
  return { healthy: status === SERVING_STATUS.SERVING, detail: word };
}

function explain(
  code: number,
  details: string,
  status: { readonly UNIMPLEMENTED: number; readonly NOT_FOUND: number; readonly UNAVAILABLE: number },
): { readonly detail: string; readonly refused?: boolean } {
  if (code === status.UNIMPLEMENTED) {
    return { detail: 'the server has no grpc.health.v1.Health; register it there, or use protocol tcp' };
  }
  if (code === status.NOT_FOUND) return { detail: 'the server does not know the service that uri names' };
  return { detail: details, refused: code === status.UNAVAILABLE && details.includes('ECONNREFUSED') };
}
