import { connect, type Socket } from 'node:net';
import type { HealthChecker, HealthResult } from '@mesher/core';
import { failureOf } from './failure-of.js';

/** Healthy is who accepts a connection. */
export const TCP_CHECKER: HealthChecker = {
  check: ({ host, port }, signal) =>
    new Promise<HealthResult>((resolve) => {
      // Not by the option `signal`: that leaves listeners on signals that never abort.
      const socket = connect({ host, port });
      const end = (result: HealthResult): void => {
        signal.removeEventListener('abort', stop);
        socket.destroy();
        resolve(result);
      };
      const stop = (): void => end({ healthy: false, detail: 'given up while connecting' });
      signal.addEventListener('abort', stop, { once: true });
      if (signal.aborted) stop();
      socket.once('connect', () => end(resultOf(socket)));
      socket.on('error', (error) => end(failureOf(error)));
    }),
};

/** What a connection says that came into being. */
export function resultOf(socket: Socket): HealthResult {
  // The system may take the very port that is asked as the source of the connection: two SYNs that cross are a connection (RFC 9293, 3.5),
  // here one of the socket with itself. It happens one time in some 28,000 on ports from which sources are taken, when nobody listens.
  const isItself = socket.localPort === socket.remotePort && socket.localAddress === socket.remoteAddress;
  if (isItself) return { healthy: false, detail: 'nobody listens: the connection was one with itself', refused: true };
  return { healthy: true, detail: 'it accepts connections' };
}
