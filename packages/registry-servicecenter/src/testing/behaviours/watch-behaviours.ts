import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import type { ServiceCenterBehaviour, Target } from './behaviour.js';
import { Probe, asConsumer, findPath, type Body } from './probe.js';
import type { SocketProbe } from './socket-probe.js';

/** A consumer that watches and depends on a provider without instances. */
class WatchRig {
  private constructor(
    readonly probe: Probe,
    readonly name: string,
    readonly provider: string,
    readonly consumer: string,
    readonly socket: SocketProbe,
  ) {}

  static async with(target: Target, use: (rig: WatchRig) => Promise<void>): Promise<void> {
    const probe = new Probe(target);
    const name = probe.name('orders');
    const provider = await probe.service(name, { version: '1.2.3' });
    const consumer = await probe.service(probe.name('shop'));
    await probe.depend(consumer, name, provider);
    const socket = await probe.socket(`/microservices/${consumer}/watcher`);
    try {
      await use(new WatchRig(probe, name, provider, consumer, socket));
    } finally {
      socket.close();
    }
  }
}

/** The websockets: watch and heartbeat. */
export const WATCH_BEHAVIOURS: readonly ServiceCenterBehaviour[] = [
  {
    title: 'tells a watch of instances that come, change and go, each with the service it belongs to',
    async check(target) {
      await WatchRig.with(target, async ({ probe, socket, name, provider }) => {
        const instance = await probe.instance(provider);
        const created = await socket.json();
        deepEqual(created['key'], { tenant: 'default/default', appId: 'default', serviceName: name, version: '1.2.3' });
        const of = ({ action, instance }: Record<string, unknown>): unknown[] => {
          const { instanceId, status, version } = instance as Body;
          return [action, instanceId, status, version];
        };
        deepEqual(of(created), ['CREATE', instance, 'UP', '1.2.3']);
        const path = `/microservices/${provider}/instances/${instance}`;
        await probe.ask('PUT', `${path}/status?value=DOWN`);
        deepEqual(of(await socket.json()), ['UPDATE', instance, 'DOWN', '1.2.3']);
        await probe.ask('DELETE', path);
        deepEqual(of(await socket.json()), ['DELETE', instance, 'DOWN', '1.2.3']);
      });
    },
  },
  {
    title: 'tells a watch nothing of services that were not asked for, nor of what was before',
    async check(target) {
      await WatchRig.with(target, async ({ probe, socket, provider, consumer }) => {
        await probe.instance(await probe.service(probe.name('other')));
        const instance = await probe.instance(provider);
        equal(((await socket.json())['instance'] as Body).instanceId, instance);
        const late = await probe.socket(`/microservices/${consumer}/watcher`);
        try {
          await probe.ask('PUT', `/microservices/${provider}/instances/${instance}/status?value=DOWN`);
          equal((await late.json())['action'], 'UPDATE');
        } finally {
          late.close();
        }
      });
    },
  },
  {
    title: 'tells a watch of a service that came after it was first asked for only once it is asked for again',
    async check(target) {
      const probe = new Probe(target);
      const [name, consumer] = [probe.name('late'), await probe.service(probe.name('shop'))];
      await probe.refused(400012, 'GET', findPath(name), undefined, asConsumer(consumer));
      const socket = await probe.socket(`/microservices/${consumer}/watcher`);
      try {
        const provider = await probe.service(name);
        const first = await probe.instance(provider);
        await probe.untilFound(name, [first]);
        equal(socket.waiting, 0);
        await probe.depend(consumer, name, provider);
        const second = await probe.instance(provider);
        // The event of the first one may still be on its way through a real server, and then the dependency is there in time for it.
        let told: unknown;
        while (told !== second) told = ((await socket.json())['instance'] as Body).instanceId;
      } finally {
        socket.close();
      }
    },
  },
  {
    title: 'takes dependencies that are declared instead of asked for',
    async check(target) {
      const probe = new Probe(target);
      const [name, shop] = [probe.name('orders'), probe.name('shop')];
      const provider = await probe.service(name);
      const consumer = await probe.service(shop);
      const key = (serviceName: string): object => ({ appId: 'default', serviceName, version: '1.0.0' });
      const dependencies = [{ consumer: key(shop), providers: [key(name)] }];
      await probe.eventually(async () => void (await probe.ask('PUT', '/dependencies', { dependencies })));
      await probe.eventually(async () => {
        const { consumers = [] } = await probe.ask('GET', `/microservices/${provider}/consumers`);
        deepEqual(
          (consumers as Body[]).map(({ serviceId }) => serviceId),
          [consumer],
        );
      });
      await probe.refused(400001, 'PUT', '/dependencies', { dependencies: [] });
    },
  },
  {
    title: 'refuses the watch of an unknown service in plain text, after the handshake, and ends it without a code',
    async check(target) {
      const probe = new Probe(target);
      const socket = await probe.socket(`/microservices/${probe.name('nobody')}/watcher`);
      const text = await socket.text();
      ok(/service does not exist/i.test(text), text);
      equal(await socket.closed, 1006);
    },
  },
  {
    title: 'answers the ping of a watch, and ends one that sends more than 64 bytes at once',
    async check(target) {
      await WatchRig.with(target, async ({ socket }) => {
        await socket.ping();
        socket.socket.send('ignored');
        await socket.ping();
        socket.socket.send('x'.repeat(65));
        ok((await socket.closed) >= 1_000);
      });
    },
  },
  {
    title: 'is no watch without a handshake',
    async check(target) {
      const probe = new Probe(target);
      const consumer = await probe.service(probe.name('shop'));
      equal((await probe.send('GET', `/microservices/${consumer}/watcher`)).status, 400);
      await rejects(probe.socket('/microservices'));
    },
  },
  {
    title: 'ends the heartbeat of an unknown instance with 4001',
    needs: { generation: 2 },
    async check(target) {
      const probe = new Probe(target);
      const service = await probe.service(probe.name('orders'));
      const socket = await probe.socket(`/microservices/${service}/instances/unknown/heartbeat`);
      equal(await socket.closed, 4001);
    },
  },
  {
    title: 'pings a heartbeat, and ends it with 4001 after the instance is gone',
    needs: { shortPings: true, generation: 2 },
    async check(target) {
      const probe = new Probe(target);
      const service = await probe.service(probe.name('orders'));
      const path = `/microservices/${service}/instances/${await probe.instance(service)}`;
      const socket = await probe.socket(`${path}/heartbeat`);
      try {
        await socket.pinged();
        await probe.ask('DELETE', path);
        equal(await socket.closed, 4001);
      } finally {
        socket.close();
      }
    },
  },
];
