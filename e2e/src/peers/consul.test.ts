import { CONSUL_BEHAVIOURS } from '@mesher/registry-consul/testing';
import { requireBuilt } from '../support/built-program.js';
import { isBuilt } from '../support/built-program.js';
import { Consul } from '../support/consul.js';
import { useSharedScene } from '../support/scene.js';

for (const acl of [false, true]) {
  describe(`the real Consul agent ${acl ? 'with access control ' : ''}does what the one of tests does: it`, () => {
    before(function () {
      requireBuilt(this, 'consul');
    });
    const target = useSharedScene(async (scene) =>
      isBuilt('consul') ? await (await Consul.start(scene, { acl })).target() : { url: '' },
    );

    for (const { title, needs = {}, check } of CONSUL_BEHAVIOURS) {
      if ((needs.acl ?? false) === acl) it(title, async () => await check(target()));
    }
  });
}
