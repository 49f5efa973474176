import { ServiceCenterServer } from '@mesher/registry-servicecenter/testing';
import { readTask, report, endWithParent } from '../load/helper.js';
import { APP, SERVICE, type FleetTask } from './fleet.js';

/** A service-center with one large service. Each line from the harness changes one of its instances. */
const { instances } = readTask<FleetTask>();
/** Longer than the bench runs: nobody sends heartbeats. */
const LEASE_INTERVAL_S = 3_600;
/** An instance takes about 900 bytes in an answer. */
const FILLER = 'x'.repeat(150);

const hostOf = (index: number): string => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;

const server = await ServiceCenterServer.start({ remembers: false });
const { serviceId, instanceIds } = server.seed({
  appId: APP,
  serviceName: SERVICE,
  version: '1.0.0',
  instances: Array.from({ length: instances }, (_, index) => ({
    instanceId: index.toString(16).padStart(32, '0'),
    hostName: `orders-7f9c6d5b8-${index}`,
    endpoints: [`rest://${hostOf(index)}:8080?sslEnabled=false`, `grpc://${hostOf(index)}:9090?sslEnabled=false`],
    properties: {
      stage: index % 20 === 0 ? 'canary' : 'stable',
      build: `2026-11-${index % 28}`,
      git: FILLER,
      owner: FILLER,
    },
    healthCheck: { mode: 'push', interval: LEASE_INTERVAL_S, times: 3 },
    dataCenterInfo: { name: 'dc1', region: 'eu', availableZone: `az${index % 3}` },
  })),
});
let changes = 0;
endWithParent(() => {
  const id = instanceIds[instances >> 1] ?? '';
  server.registry.tenant().instances.setStatus(serviceId, id, changes++ % 2 === 0 ? 'DOWN' : 'UP');
});
report({ address: server.url });
