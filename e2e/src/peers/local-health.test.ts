import { HealthStory } from '../support/health-story.js';
import { inServiceCenter } from '../support/mesher-registry.js';
import { useScene, type Scene } from '../support/scene.js';
import { requireServiceCenter, ServiceCenter } from '../support/service-center.js';
import type { Settings } from '../support/sidecar.js';

const REGISTRIES: readonly {
  readonly title: string;
  require(context: Mocha.Context): void;
  chassis(scene: Scene): Promise<Settings>;
}[] = [
  {
    title: 'service-center',
    require: requireServiceCenter,
    chassis: async (scene) => inServiceCenter((await ServiceCenter.start(scene)).url),
  },
];

describe('a local check that fails takes the instance out of the pool of another sidecar within two intervals, and puts it back,', () => {
  const scene = useScene();
  let story: HealthStory | undefined;
  afterEach(() => story?.close());

  for (const { title, require, chassis } of REGISTRIES) {
    it(`over a real ${title}`, async function () {
      require(this);
      story = await HealthStory.build(scene(), await chassis(scene()));
      await story.tell();
    });
  }
});
