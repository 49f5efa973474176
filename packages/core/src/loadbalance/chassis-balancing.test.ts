import { expect } from 'chai';
import { isMeshError } from '../errors.js';
import { definePlugin } from '../plugin/define-plugin.js';
import { Endpoint } from '../registry/endpoint.js';
import type { SmallFamily } from '../telemetry/metric-family.js';
import { chassisRig } from '../testing/chassis-rig.js';
import { FakeCall } from '../testing/fake-call.js';
import { place } from '../testing/handler-rig.js';
import { httpInstance } from '../testing/instances.js';

const LAST = definePlugin({
  kind: 'load-balancer',
  name: 'last-one',
  create: () => (endpoints) => ({ pick: () => endpoints.at(-1) }),
});

const THREE = [1, 2, 3].map((n) => httpInstance(`10.0.0.${n}:80`));

describe('the chassis', () => {
  it('balances a service by the strategy of a plugin', async () => {
    const rig = await chassisRig({
      plugins: [LAST],
      configuration: { 'cse.loadbalance.world.strategy.name': 'LastOne' },
    });
    const chassis = await rig.create();
    const verdict = place(chassis.outbound, new FakeCall());
    rig.discovery.publish('world', THREE);
    const endpoint = await verdict;
    expect(endpoint).to.be.instanceOf(Endpoint);
    expect((endpoint as Endpoint).key).to.equal('10.0.0.3:80');
    await chassis.close();
  });

  it('does not take what a plugin picks for an instance when it is none', async () => {
    const confused = definePlugin({
      kind: 'load-balancer',
      name: 'confused',
      create: () => () => ({ pick: () => '10.0.0.1:80' as unknown as Endpoint }),
    });
    const rig = await chassisRig({
      plugins: [confused],
      configuration: { 'cse.loadbalance.world.strategy.name': 'confused' },
    });
    const chassis = await rig.create();
    const verdict = place(chassis.outbound, new FakeCall());
    rig.discovery.publish('world', THREE);
    const error: unknown = await verdict.catch((reason: unknown) => reason);
    expect((error as Error).message).to.equal("the load balancer 'confused' picked what is no endpoint");
    await chassis.close();
  });

  it('is not made with a strategy that nobody knows, and says which there are', async () => {
    const rig = await chassisRig({ plugins: [LAST], configuration: { 'cse.loadbalance.strategy.name': 'Fastest' } });
    const error: unknown = await rig.create().catch((reason: unknown) => reason);
    expect(isMeshError(error, 'MESH_ERR_UNKNOWN_STRATEGY')).to.equal(true);
    expect((error as Error).message)
      .to.include('PeakEWMA')
      .and.to.include('last-one');
  });

  it('counts attempts under way, ejects by their answers, and shows both', async () => {
    const rig = await chassisRig({
      configuration: { 'cse.loadbalance.outlier.enabled': 'true', 'cse.loadbalance.outlier.consecutive5xx': '1' },
    });
    const chassis = await rig.create();
    const call = new FakeCall();
    const verdict = place(chassis.outbound, call);
    rig.discovery.publish('world', THREE);
    const endpoint = (await verdict) as Endpoint;
    expect(endpoint.inFlight).to.equal(1);
    chassis.outbound.end(call, { status: 500, code: undefined, aborted: false, durationMs: 1 });
    expect([endpoint.inFlight, endpoint.isOut]).to.deep.equal([0, true]);
    const samples = (name: string): string[] => {
      const family = chassis.policyMetrics.families().find(({ definition }) => definition.name === name) as SmallFamily;
      const [portion = []] = [...family.slices()];
      return portion.map(({ labels, value }) => [...Object.values(labels), value].join(' '));
    };
    expect(samples('mesher_endpoints')).to.deep.equal([
      'world fit 2',
      'world resting 0',
      'world ejected 1',
      'world breaker 0',
    ]);
    expect(samples('mesher_outlier_ejections_total')).to.deep.equal(['world consecutive-5xx 1']);
    expect(samples('mesher_balancer_panic')).to.deep.equal(['world 0']);
    await chassis.close();
  });
});
