import { requireBuilt } from '../support/built-program.js';
import { Consul } from '../support/consul.js';
import { statusesInConsul } from '../support/consul-statuses.js';
import { HealthStory, type ForgetfulRegistry } from '../support/health-story.js';
import { statusesIn } from '../support/mesher-registry.js';
import { useScene, type Scene } from '../support/scene.js';
import { requireServiceCenter, ServiceCenter } from '../support/service-center.js';
import type { Settings } from '../support/sidecar.js';

/** A real registry, started. */
interface Started extends ForgetfulRegistry {
  readonly chassis: Settings;
}

const REGISTRIES: readonly {
  readonly title: string;
  require(context: Mocha.Context): void;
  start(scene: Scene): Promise<Started>;
}[] = [
  {
    title: 'service-center',
    require: requireServiceCenter,
    async start(scene) {
      const center = await ServiceCenter.start(scene);
      return {
        chassis: { ...center.settings, 'servicecomb.registry.watch': true },
        lose: async () => {
          await center.loseState();
          await center.start();
        },
        statuses: (service) => statusesIn(center.url, service),
      };
    },
  },
  {
    title: 'Consul',
    require: (context) => requireBuilt(context, 'consul'),
    async start(scene) {
      // In development mode, which keeps nothing.
      const consul = await Consul.start(scene);
      return {
        // A heartbeat every second, which finds out that Consul knows nothing any more.
        chassis: { ...consul.settings, 'servicecomb.registry.consul.ttl': '3s' },
        lose: async () => {
          await consul.process.kill();
          await consul.start();
        },
        statuses: (service) => statusesInConsul(consul.url, service),
      };
    },
  },
];

for (const { title, require, start } of REGISTRIES) {
  describe(`a local check that fails, over a real ${title},`, () => {
    const scene = useScene();
    let story: HealthStory | undefined;
    before(function () {
      require(this);
    });
    afterEach(() => story?.close());

    it('takes the instance out of the pool of another sidecar within two intervals, and puts it back', async () => {
      const { chassis } = await start(scene());
      story = await HealthStory.build(scene(), chassis);
      await story.tell();
    });

    it('and fails for all instances leaves the caller none, at once', async () => {
      const { chassis } = await start(scene());
      story = await HealthStory.build(scene(), chassis);
      await story.tellOfNobodyWell();
    });

    it('keeps the instance out when the registry forgets everybody: it is registered again as DOWN', async () => {
      const registry = await start(scene());
      story = await HealthStory.build(scene(), registry.chassis);
      await story.tellOfLostMemory(registry);
    });
  });
}
