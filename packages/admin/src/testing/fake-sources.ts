import type { AdminSources } from '../sources.js';

/** Sources of a sidecar that is well; a test overrides what it is about. */
export function fakeSources(overrides: Partial<AdminSources> = {}): AdminSources {
  return {
    live: () => ({ ready: true, reasons: [] }),
    ready: () => ({ ready: true, reasons: [] }),
    metrics: () => Promise.resolve({ contentType: 'text/plain; version=0.0.4; charset=utf-8', body: 'up 1\n' }),
    version: () => ({ version: '0.1.0', node: '20.19.0' }),
    health: () => ({ serviceName: 'hello', version: '1.2.3', status: 'green' }),
    config: () => ({ tls: { password: '***' }, timeouts: [1, 2] }),
    services: () => ({
      registries: [{ name: 'file', freshness: 'fresh', ageSeconds: 1.5, problems: [] }],
      services: [{ service: 'world', exists: true, freshness: 'fresh', ageSeconds: 1.5, instances: [] }],
    }),
    pools: () => ({
      pools: [
        {
          ...{ address: '10.0.0.1:80', service: 'world', protocol: 'http2' },
          ...{ connections: 1, idle: 0, draining: 0, calls: 3, waiting: 2 },
        },
      ],
    }),
    explain: (request) => Promise.resolve({ sent: true, request }),
    drain: () => {},
    ...overrides,
  };
}
