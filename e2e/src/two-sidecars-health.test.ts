import { HealthStory } from './support/health-story.js';
import { inServiceCenter, MesherRegistry } from './support/mesher-registry.js';
import { useScene, type Scene } from './support/scene.js';
import type { Settings } from './support/sidecar.js';

const REGISTRIES: readonly { readonly title: string; chassis(scene: Scene): Settings | Promise<Settings> }[] = [
  { title: 'the file registry', chassis: () => ({}) },
  {
    title: 'service-center (mesher registry)',
    chassis: async (scene) => inServiceCenter((await MesherRegistry.start(scene)).url),
  },
];

describe('a local check that fails takes the instance out of the pool of another sidecar within two intervals, and puts it back,', () => {
  const scene = useScene();
  let story: HealthStory | undefined;
  afterEach(() => story?.close());

  for (const { title, chassis } of REGISTRIES) {
    it(`over ${title}`, async () => {
      story = await HealthStory.build(scene(), await chassis(scene()));
      await story.tell();
    });
  }
});
