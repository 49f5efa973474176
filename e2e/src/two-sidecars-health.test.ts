import { ConsulServer } from '@mesher/registry-consul/testing';
import { statusesInConsul } from './support/consul-statuses.js';
import { HealthStory, type ForgetfulRegistry } from './support/health-story.js';
import { inServiceCenter, MesherRegistry, statusesIn } from './support/mesher-registry.js';
import { useScene, type Scene } from './support/scene.js';
import type { Settings } from './support/sidecar.js';

/** A registry that a test has started. */
interface Started extends ForgetfulRegistry {
  readonly chassis: Settings;
  close?(): Promise<void>;
}

const REGISTRIES: readonly { readonly title: string; start(scene: Scene): Promise<Started> }[] = [
  {
    title: 'service-center (mesher registry)',
    async start(scene) {
      const registry = await MesherRegistry.start(scene);
      return {
        chassis: { ...inServiceCenter(registry.url), 'servicecomb.registry.heartbeat.interval': '5s' },
        lose: async () => {
          await registry.process.kill();
          await registry.start();
        },
        statuses: (service) => statusesIn(registry.url, service),
      };
    },
  },
  {
    title: 'Consul (the double)',
    async start() {
      const consul = await ConsulServer.start();
      return {
        chassis: {
          'servicecomb.registry.type': 'consul',
          'servicecomb.registry.address': consul.url,
          'servicecomb.registry.consul.ttl': '3s',
        },
        lose: () => {
          consul.forget();
          return Promise.resolve();
        },
        statuses: (service) => statusesInConsul(consul.url, service),
        close: () => consul.close(),
      };
    },
  },
];

describe('a local check that fails', () => {
  const scene = useScene();
  let story: HealthStory | undefined;
  let registry: Started | undefined;
  afterEach(async () => {
    story?.close();
    await registry?.close?.();
    story = registry = undefined;
  });

  it('takes the instance out of the pool of another sidecar within two intervals, and puts it back, over the file registry', async () => {
    story = await HealthStory.build(scene(), {});
    await story.tell();
  });

  for (const { title, start } of REGISTRIES) {
    it(`does so over ${title}`, async () => {
      registry = await start(scene());
      story = await HealthStory.build(scene(), registry.chassis);
      await story.tell();
    });

    it(`and fails for all instances leaves the caller none, over ${title}`, async () => {
      registry = await start(scene());
      story = await HealthStory.build(scene(), registry.chassis);
      await story.tellOfNobodyWell();
    });

    it(`keeps the instance out when ${title} forgets everybody: it is registered again as DOWN`, async () => {
      registry = await start(scene());
      story = await HealthStory.build(scene(), registry.chassis);
      await story.tellOfLostMemory(registry);
    });
  }
});
