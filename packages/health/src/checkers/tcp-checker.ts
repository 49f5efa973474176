import { connect } from 'node:net';
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
      socket.once('connect', () => end({ healthy: true, detail: 'it accepts connections' }));
      socket.on('error', (error) => end(failureOf(error)));
    }),
};
