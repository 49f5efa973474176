import { deepEqual, equal, match } from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ConsulBehaviour } from './behaviour.js';
import { Probe } from './probe.js';

const TTL = { TTL: '30s' };

/** Checks that clients keep up, and checks that the agent makes. */
export const CHECK_BEHAVIOURS: readonly ConsulBehaviour[] = [
  {
    title: 'takes an instance for critical until its check has passed, and follows what is said of it',
    async check(target) {
      const probe = new Probe(target);
      const Name = probe.name('web');
      const id = `service:${Name}`;
      await probe.register({ Name, Check: TTL });
      await probe.untilStatus(Name, Name, 'critical');
      const said: readonly (readonly [string, string, unknown?])[] = [
        [`/agent/check/pass/${encodeURIComponent(id)}`, 'passing'],
        [`/agent/check/warn/${id}?note=slow`, 'warning'],
        [`/agent/check/update/${id}`, 'passing', { Status: 'passing', Output: 'fine' }],
        [`/agent/check/fail/${id}?note=broken`, 'critical'],
        [`/agent/check/update/${id}`, 'warning', { Status: 'warning' }],
      ];
      for (const [path, status, body] of said) {
        await probe.done('PUT', path, body);
        await probe.untilStatus(Name, Name, status);
        deepEqual(await probe.ids(Name, '?passing=1'), status === 'passing' ? [Name] : []);
      }
      await probe.refused(400, /^Invalid check status: 'fine'$/, 'PUT', `/agent/check/update/${id}`, {
        Status: 'fine',
      });
    },
  },
  {
    title: 'shows the note of a check, and begins with the status of the registration',
    async check(target) {
      const probe = new Probe(target);
      const Name = probe.name('web');
      const Check = { ...TTL, Status: 'passing', Name: 'alive', Notes: 'by the client' };
      await probe.register({ Name, Check });
      await probe.untilStatus(Name, Name, 'passing');
      await probe.done('PUT', `/agent/check/warn/service:${Name}?note=slow`);
      await probe.eventually(async () => {
        const [entry] = await probe.healthy(Name);
        const check = entry?.Checks.find(({ ServiceID }) => ServiceID === Name);
        deepEqual(
          [check?.CheckID, check?.Name, check?.Notes, check?.Output, check?.Type, check?.ServiceName],
          [`service:${Name}`, 'alive', 'by the client', 'slow', 'ttl', Name],
        );
      });
    },
  },
  {
    title: 'takes an instance for critical when its client falls silent, and for alive when it speaks again',
    async check(target) {
      const probe = new Probe(target);
      const Name = probe.name('web');
      await probe.register({ Name, Check: { TTL: '250ms', Status: 'passing' } });
      await probe.eventually(async () => {
        const [entry] = await probe.healthy(Name);
        const check = entry?.Checks.find(({ ServiceID }) => ServiceID === Name);
        equal(check?.Status, 'critical');
        match(check.Output, /^TTL expired/);
      });
      await probe.done('PUT', `/agent/check/pass/service:${Name}`);
      await probe.untilStatus(Name, Name, 'passing');
      await probe.untilStatus(Name, Name, 'critical');
    },
  },
  {
    title: 'says 404 for a check that it does not know, and 500 for one that no client keeps up',
    async check(target) {
      const probe = new Probe(target);
      const Name = probe.name('web');
      for (const verb of ['pass', 'warn', 'fail']) {
        const path = `/agent/check/${verb}/service:${Name}`;
        await probe.refused(404, /^Unknown check ID "service:.*"\. Ensure that the check ID is passed/, 'PUT', path);
      }
      const update = `/agent/check/update/service:${Name}`;
      await probe.refused(404, /^Unknown check ID/, 'PUT', update, { Status: 'passing' });
      await probe.register({ Name, Check: { TCP: '127.0.0.1:1', Interval: '1h' } });
      const pass = `/agent/check/pass/service:${Name}`;
      await probe.refused(500, /^CheckID "service:.*" does not have associated TTL$/, 'PUT', pass);
    },
  },
  {
    title: 'tells how an instance is by a status of HTTP',
    async check(target) {
      const probe = new Probe(target);
      const Name = probe.name('web');
      const path = `/agent/health/service/id/${Name}`;
      await probe.register({ Name, Check: { ...TTL, Status: 'passing' } });
      const statuses = [];
      for (const verb of ['pass', 'warn', 'fail']) {
        await probe.done('PUT', `/agent/check/${verb}/service:${Name}`);
        const { status, text } = await probe.send('GET', path);
        statuses.push([status, (JSON.parse(text) as { AggregatedStatus: string }).AggregatedStatus]);
      }
      deepEqual(statuses, [
        [200, 'passing'],
        [429, 'warning'],
        [503, 'critical'],
      ]);
      await probe.refused(503, /^critical$/, 'GET', `${path}?format=text`);
      equal((await probe.send('GET', '/agent/health/service/id/none')).status, 404);
    },
  },
  {
    title: 'asks an instance itself by HTTP and by TCP when the registration says so',
    needs: { slow: true },
    async check(target) {
      const probe = new Probe(target);
      const [web, tcp] = [probe.name('web'), probe.name('tcp')];
      let status = 204;
      const server = createServer((_, response) => response.writeHead(status).end()).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
      try {
        const times = { Interval: '1s', Timeout: '1s' };
        await probe.register({ Name: web, Check: { HTTP: `http://${address}/health`, ...times } });
        await probe.register({ Name: tcp, Check: { TCP: address, ...times } });
        await probe.untilStatus(web, web, 'passing');
        await probe.untilStatus(tcp, tcp, 'passing');
        status = 429;
        await probe.untilStatus(web, web, 'warning');
        status = 500;
        await probe.untilStatus(web, web, 'critical');
      } finally {
        server.closeAllConnections();
        server.close();
      }
      await probe.untilStatus(tcp, tcp, 'critical');
    },
  },
];
