import { expect } from 'chai';
import type { Chassis } from '../chassis.js';
import { CHASSIS_SECTIONS } from '../composition/chassis-sections.js';
import type { MeshDocument } from '../config/document.js';
import type { Endpoint } from '../registry/endpoint.js';
import type { Sample } from '../telemetry/metric-family.js';
import { chassisRig, type ChassisRig } from '../testing/chassis-rig.js';
import { FakeCall } from '../testing/fake-call.js';
import { outcome, place } from '../testing/handler-rig.js';
import { httpInstance } from '../testing/instances.js';
import { loadFiles } from '../testing/load-files.js';
import { answerOf } from '../testing/retry-rig.js';

async function documentOf(cse: string): Promise<MeshDocument> {
  const overrides = { 'servicecomb.service.name': 'orders', 'servicecomb.registry.type': 'scripted' };
  const files = { 'chassis.yaml': `cse: ${cse}\n` };
  const { document, errors, said } = await loadFiles(files, { overrides, sections: CHASSIS_SECTIONS });
  if (document === undefined) throw new Error(said(errors).join('\n'));
  return document;
}

const RETRIES = 'retryEnabled: true, retryOnNext: 1, backoff.kind: zero, retryBudget: {percent: 0, minPerSecond: 0.2}';

describe('retries and timeouts while the configuration changes', () => {
  let rig: ChassisRig;
  let chassis: Chassis;

  beforeEach(async () => {
    rig = await chassisRig();
    chassis = await rig.create();
    rig.discovery.publish('world', [httpInstance('10.0.0.1:80'), httpInstance('10.0.0.2:80')]);
  });

  async function call(): Promise<FakeCall> {
    const one = new FakeCall({ authority: 'world', startedAt: rig.time.now() });
    await place(chassis.outbound, one);
    return one;
  }

  async function repeats(): Promise<boolean> {
    const one = await call();
    const next = chassis.outbound.answered?.(one, answerOf(503));
    if (next !== undefined) one.endpoint = next as Endpoint;
    chassis.outbound.end(one, outcome());
    return next !== undefined;
  }

  it('follow it with the next call, for all services and for one', async () => {
    expect((await call()).watchesAnswer).to.equal(false);
    chassis.reconfigure(await documentOf(`{isolation.Consumer.timeoutInMilliseconds: 700, loadbalance: {${RETRIES}}}`));
    const watched = await call();
    expect([watched.watchesAnswer, watched.deadlineAt]).to.deep.equal([true, 700]);
    chassis.reconfigure(await documentOf('{isolation.Consumer: {world: {timeoutInMilliseconds: 90}}}'));
    const limited = await call();
    expect([limited.watchesAnswer, limited.deadlineAt]).to.deep.equal([false, 90]);
  });

  it('keep what a budget has counted, when something else changes and when it is itself', async () => {
    chassis.reconfigure(await documentOf(`{loadbalance: {${RETRIES}}}`));
    expect([await repeats(), await repeats(), await repeats()]).to.deep.equal([true, true, false]);
    chassis.reconfigure(await documentOf(`{isolation.Consumer.timeoutInMilliseconds: 700, loadbalance: {${RETRIES}}}`));
    expect(await repeats()).to.equal(false);
    chassis.reconfigure(await documentOf(`{loadbalance: {${RETRIES.replace('0.2', '0.3')}}}`));
    expect([await repeats(), await repeats()]).to.deep.equal([true, false]);
    expect(chassis.events.latest.map(({ kind }) => kind)).to.include('retry-budget-exhausted');
    const family = chassis.policyMetrics.families().find(({ definition }) => definition.name.includes('retry_budget'));
    const samples: Sample[] = [];
    for await (const slice of family?.slices() ?? []) samples.push(...slice);
    expect(samples.map(({ labels, value }) => [labels, value])).to.deep.equal([[{ service: 'world' }, 0]]);
  });

  it('leave a call alone that is being repeated by rules which are gone', async () => {
    chassis.reconfigure(await documentOf(`{loadbalance: {${RETRIES}}}`));
    const one = await call();
    chassis.reconfigure(await documentOf('{loadbalance.retryEnabled: false}'));
    expect(chassis.outbound.answered?.(one, answerOf(503))).to.equal(undefined);
    chassis.outbound.end(one, outcome({ status: 503 }));
    const load = chassis.directory.plans[0]?.candidates('http').endpoints.map(({ inFlight }) => inFlight);
    expect(load).to.deep.equal([0, 0]);
  });
});
