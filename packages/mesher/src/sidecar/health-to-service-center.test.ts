import { expect } from 'chai';
import { Chassis, definePlugin, makeInstance, systemPorts } from '@mesher/core';
import { RecordingLogger } from '@mesher/core/testing';
import { ServiceCenterServer } from '@mesher/registry-servicecenter/testing';
import { loadFiles } from '../testing/conf-folder.js';
import { ApplicationHealth } from './application-health.js';

const CHECK = 'localHealthCheck: [{port: 8080, protocol: scripted, interval: 1s, unhealthyThreshold: 1}]\n';

describe('the health of an application that is registered in service-center', () => {
  it('is what service-center shows', async () => {
    const center = await ServiceCenterServer.start();
    let healthy = true;
    const { configuration, catalog } = await loadFiles({
      'chassis.yaml': `servicecomb.registry: {type: servicecenter, address: 'http://127.0.0.1:${center.port}'}\n`,
      'mesher.yaml': CHECK,
    });
    const check = (): Promise<{ healthy: boolean; detail: string }> => Promise.resolve({ healthy, detail: '' });
    catalog.add(definePlugin({ kind: 'health-checker', name: 'scripted', create: () => ({ check }) }));
    const { document } = configuration;
    if (document === undefined) throw new Error('the configuration is wrong');
    const ports = systemPorts();
    const chassis = await Chassis.create({ document, catalog, ports, confDir: '.' });
    const health = new ApplicationHealth(chassis, {
      catalog,
      ports,
      isOwnPort: () => false,
      logger: new RecordingLogger(),
    });
    try {
      health.start();
      await health.whenKnown();
      const addresses = new Map([['rest', { host: '127.0.0.1', port: 80, tls: false }]]);
      const { status } = health;
      const lease = await chassis.register(makeInstance({ service: 'world', instanceId: '', status, addresses }));
      if (lease === undefined) throw new Error('it is not registered');
      health.follow(lease, status);
      const { steering } = center;
      const isStatus = (path: string, query: URLSearchParams, value: string): boolean =>
        path.endsWith('/status') && query.get('value') === value;
      const told = (value: string): Promise<void> =>
        steering.until(() => steering.asked.some(({ path, query }) => isStatus(path, query, value)));
      healthy = false;
      await told('DOWN');
      healthy = true;
      await told('UP');
      expect(status).to.equal('UP');
    } finally {
      health.close();
      await chassis.close();
      await center.close();
    }
  });
});
