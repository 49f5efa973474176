import { expect } from 'chai';
import { httpInstance, instanceAt } from '../testing/instances.js';
import { RouterRig } from '../testing/router-rig.js';
import { V1, V10, V2, WORLD } from './testing/world-rules.js';

describe('the router without rules', () => {
  it('spreads calls over all versions of the own application', async () => {
    const foreign = httpInstance('10.0.0.9:80', { instanceId: 'foreign', app: 'shop' });
    const rig = await RouterRig.make({}, { world: [V1, V2, foreign] });
    expect(rig.spread(10)).to.deep.equal({ one: 5, two: 5 });
    expect(rig.send().call.subset?.name).to.equal('app=default');
  });

  it('chooses no part when the whole service is meant', async () => {
    const rig = await RouterRig.make({}, WORLD);
    expect(rig.send().call.subset).to.equal(undefined);
    rig.publish('world', []);
    expect(rig.send()).to.include({ rejection: undefined, instance: undefined });
    expect(rig.send().call.subset).to.equal(undefined);
  });

  it('takes only the newest version when it is told so, by number and not by letter', async () => {
    const files = { 'mesher.yaml': 'mesher.routing.default: latest\n' };
    const rig = await RouterRig.make(files, WORLD);
    expect(rig.spread(3)).to.deep.equal({ ten: 3 });
    rig.publish('world', [V1, V2, { ...V10, status: 'DOWN' }]);
    expect(rig.spread(3), 'the newest version that takes calls').to.deep.equal({ two: 3 });
  });

  it('counts instances that were written down by hand as of the own application', async () => {
    const files = { 'microservice.yaml': 'servicecomb.service.app: shop\n' };
    const byHand = instanceAt({ '*': '10.0.0.1:80' }, { instanceId: 'hand' });
    const rig = await RouterRig.make(files, { world: [byHand, V2] });
    expect(rig.spread(2)).to.deep.equal({ hand: 2 });
    rig.publish('world', [
      { ...byHand, app: 'office', metadata: { app: 'office' } },
      { ...V2, app: 'shop' },
    ]);
    expect(rig.spread(2), 'unless its tags say another one').to.deep.equal({ two: 2 });
  });

  it('says in which applications a service is that the own one has not', async () => {
    const files = { 'microservice.yaml': 'servicecomb.service.app: shop\n' };
    const rig = await RouterRig.make(files, { world: [V1, { ...V2, app: 'office' }] });
    const { rejection } = rig.send();
    expect(rejection?.code).to.equal('MESH_ERR_NO_SUBSET');
    expect(rejection?.message).to.equal(
      'world has no instance in the application shop; it has some in default, office',
    );
  });
});
