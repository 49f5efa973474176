import { HealthStory } from './support/health-story.js';
import { inServiceCenter, MesherRegistry, statusesIn } from './support/mesher-registry.js';
import { useScene, type Scene } from './support/scene.js';
import type { Settings } from './support/sidecar.js';

const REGISTRIES: readonly { readonly title: string; chassis(scene: Scene): Settings | Promise<Settings> }[] = [
  { title: 'the file registry', chassis: () => ({}) },
  {
    title: 'service-center (mesher registry)',
    chassis: async (scene) => inServiceCenter((await MesherRegistry.start(scene)).url),
  },
];

describe('a local check that fails', () => {
  const scene = useScene();
  let story: HealthStory | undefined;
  afterEach(() => story?.close());

  for (const { title, chassis } of REGISTRIES) {
    it(`takes the instance out of the pool of another sidecar within two intervals, and puts it back, over ${title}`, async () => {
      story = await HealthStory.build(scene(), await chassis(scene()));
      await story.tell();
    });
  }

  it('keeps the instance out when service-center forgets everybody: it is registered again as DOWN', async () => {
    const registry = await MesherRegistry.start(scene());
    const chassis = { ...inServiceCenter(registry.url), 'servicecomb.registry.heartbeat.interval': '5s' };
    story = await HealthStory.build(scene(), chassis);
    await story.tellOfLostMemory({
      lose: async () => {
        await registry.process.kill();
        await registry.start();
      },
      statuses: (service) => statusesIn(registry.url, service),
    });
  });
});
