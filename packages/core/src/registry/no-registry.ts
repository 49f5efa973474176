import type { Registry, RegistryState, ServiceQuery, ServiceSnapshot } from './contracts.js';

/** The registry of a chassis whose registry is switched off: it knows nothing, and says so at once. */
export function noRegistry(): Registry {
  return {
    registrator: undefined,
    discovery: {
      name: 'none',
      async *watch({ service }: ServiceQuery, signal: AbortSignal): AsyncIterable<ServiceSnapshot> {
        yield { service, exists: false, revision: 'none', instances: [] };
        if (signal.aborted) return;
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      },
      state: (): RegistryState => ({
        freshness: 'fresh',
        lastSuccessAt: undefined,
        lastError: undefined,
        problems: [],
      }),
      close: () => Promise.resolve(),
    },
  };
}
