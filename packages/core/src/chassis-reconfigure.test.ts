import { expect } from 'chai';
import { CHASSIS_SECTIONS } from './composition/chassis-sections.js';
import type { MeshDocument } from './config/document.js';
import { Rejection } from './errors.js';
import { chassisRig } from './testing/chassis-rig.js';
import { FakeCall } from './testing/fake-call.js';
import { outcome, place } from './testing/handler-rig.js';
import { httpInstance } from './testing/instances.js';
import { loadFiles } from './testing/load-files.js';

const CHANGES = 1_000;
/** Documents that take turns; reading 1,000 of them would only test the reader again. */
const DOCUMENTS = 20;

/** A configuration with rules for the called service that differ in everything but their meaning. */
async function rules(index: number): Promise<MeshDocument> {
  const { document, errors, said } = await loadFiles(
    {
      'router.yaml': `servicecomb:
  routeRule:
    world: |
      - precedence: ${index + 1}
        route:
          - weight: 100
            tags:
              version: 1.0.0
`,
      'load_balancing.yaml': `cse.loadbalance.strategy.name: ${index % 2 === 0 ? 'RoundRobin' : 'Random'}\n`,
      'circuit_breaker.yaml': `cse.isolation.Consumer.timeoutInMilliseconds: ${10_000 + index}\n`,
      'rate_limiting.yaml': `cse.flowcontrol.Consumer.qps.global.limit: ${1_000_000 + index}\n`,
    },
    {
      overrides: { 'servicecomb.service.name': 'orders', 'servicecomb.registry.type': 'scripted' },
      sections: CHASSIS_SECTIONS,
    },
  );
  if (document === undefined) throw new Error(said(errors).join('\n'));
  return document;
}

describe('a chassis whose rules change 1,000 times', () => {
  it('fails no call: neither those between two changes nor those that go on over many of them', async function () {
    this.timeout(20_000);
    const rig = await chassisRig();
    const chassis = await rig.create();
    rig.discovery.publish('world', [
      httpInstance('10.0.0.1:80', { version: '1.0.0' }),
      httpInstance('10.0.0.2:80', { version: '1.0.0' }),
    ]);
    let told = 0;
    chassis.configuration.onChange(() => told++);
    const documents = await Promise.all(Array.from({ length: DOCUMENTS }, (_, index) => rules(index)));
    const open: FakeCall[] = [];
    const failures: string[] = [];
    for (let change = 0; change < CHANGES; change++) {
      chassis.reconfigure(documents[change % DOCUMENTS] as MeshDocument);
      const call = new FakeCall({ authority: 'world', startedAt: rig.time.now() });
      const verdict = await place(chassis.outbound, call);
      if (verdict instanceof Rejection) failures.push(`${change}: ${verdict.code} ${verdict.message}`);
      // Every third call goes on over the next changes.
      if (change % 3 === 0) open.push(call);
      else chassis.outbound.end(call, outcome());
      if (open.length > 50) chassis.outbound.end(open.shift() as FakeCall, outcome());
      rig.time.advance(60);
    }
    for (const call of open) chassis.outbound.end(call, outcome());
    expect(failures).to.deep.equal([]);
    expect(told).to.equal(CHANGES);
    expect(chassis.document).to.equal(documents[(CHANGES - 1) % DOCUMENTS]);
    expect(rig.logger.messages('error')).to.deep.equal([]);
    await chassis.close();
  });
});

describe('a chassis that is to take over what it cannot work with', () => {
  it('refuses it, and goes on as before', async () => {
    const rig = await chassisRig();
    const chassis = await rig.create();
    const { document } = await loadFiles(
      { 'load_balancing.yaml': 'cse.loadbalance.strategy.name: NoSuchStrategy\n' },
      {
        overrides: { 'servicecomb.service.name': 'orders', 'servicecomb.registry.type': 'scripted' },
        sections: CHASSIS_SECTIONS,
      },
    );
    const before = chassis.document;
    expect(() => chassis.reconfigure(document as MeshDocument)).to.throw(/NoSuchStrategy/);
    expect(chassis.document).to.equal(before);
    rig.discovery.publish('world', [httpInstance('10.0.0.1:80')]);
    const call = new FakeCall({ authority: 'world' });
    expect(await place(chassis.outbound, call)).not.to.be.instanceOf(Rejection);
    chassis.outbound.end(call, outcome());
    await chassis.close();
  });
});
