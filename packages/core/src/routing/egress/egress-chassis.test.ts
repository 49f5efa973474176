import { expect } from 'chai';
import { Endpoint } from '../../registry/endpoint.js';
import { chassisRig } from '../../testing/chassis-rig.js';
import { FakeCall } from '../../testing/fake-call.js';
import { place } from '../../testing/handler-rig.js';

const CONFIGURATION = {
  'egressRule.local': '- hosts: [127.0.0.1]\n  ports: [{port: 8080, protocol: HTTP}]',
  'mesher.egress.policy': 'allow_any',
};

describe('a chassis with egress', () => {
  it('lets calls out, says so when it is asked, and leaves nothing behind when it closes', async () => {
    const rig = await chassisRig({ configuration: CONFIGURATION });
    const chassis = await rig.create();
    const before = await chassis.explain({ url: 'http://127.0.0.1/' });
    expect(before).to.include({ sent: true, open: true });
    expect(before.steps.at(-1)?.details).to.include('DNS has not been asked yet; a call would ask it');

    const call = new FakeCall({ authority: '127.0.0.1' });
    const verdict = await place(chassis.outbound, call);
    expect(verdict).to.be.instanceOf(Endpoint).and.include({ key: '127.0.0.1:8080' });
    expect(call.sent('x-cse-src-microservice')).to.deep.equal([]);

    const after = await chassis.explain({ url: 'http://127.0.0.1/' });
    expect(after).to.include({ sent: true, open: false });
    expect(after.steps.find(({ stage }) => stage === 'egress')?.decision).to.equal('127.0.0.1:8080 outside the mesh');

    rig.discovery.publishAbsent('127.0.0.2');
    const denied = await place(chassis.outbound, new FakeCall({ authority: '127.0.0.2' }));
    expect(denied).to.include({ code: 'MESH_ERR_EGRESS_DENIED' });
    const explained = await chassis.explain({ url: 'http://127.0.0.2/' });
    expect(explained.answer?.message).to.contain('this machine, its link or its metadata service');

    const retired: Endpoint[] = [];
    chassis.directory.onRetired((endpoint) => retired.push(endpoint));
    await chassis.close();
    expect(retired).to.deep.equal([verdict]);
    expect(rig.time.pendingTimers).to.equal(0);
  });
});
