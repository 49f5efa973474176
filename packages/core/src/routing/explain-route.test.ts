import { expect } from 'chai';
import { httpInstance } from '../testing/instances.js';
import { RouterRig } from '../testing/router-rig.js';
import { rules, V1, V2, WORLD } from './testing/world-rules.js';

describe('the explanation of a route', () => {
  const yaml =
    '- precedence: 2\n  match: {headers: {x-user: jason}}\n  route: [{tags: {version: 2.0}}]\n- name: split\n  timeout: 1s\n  route: [{tags: {version: 1.0}, weight: 75}]';

  it('names each rule that was tried and why it did not match, the shares, and the members', async () => {
    const rig = await RouterRig.make(rules(yaml), WORLD);
    const { into } = rig.explain({ headers: { 'X-User': 'tom' } });
    expect(into.steps[0]?.decision).to.equal('split -> version=1.0');
    expect(into.steps[0]?.details).to.deep.equal([
      "routeRule.world[0] does not match: wants header x-user: exact 'jason'; the call has 'tom'",
      'split matches every call',
      '75 % go to version=1.0, it is its turn',
      '25 % go to version=latest',
      'timeout: 1000 ms',
      'instances with version=1.0: one (1.0)',
    ]);
  });

  it('changes nothing', async () => {
    const rig = await RouterRig.make(rules(yaml), WORLD);
    for (let i = 0; i < 5; i++) rig.explain();
    expect(rig.spread(4)).to.deep.equal({ one: 3, ten: 1 });
  });

  it('says what happens without a rule, and where the own application has no instance', async () => {
    const rig = await RouterRig.make({}, { world: [V1, { ...V2, app: 'shop' }], shop: [{ ...V2, app: 'shop' }] });
    expect(rig.explain().into.steps[0]?.details).to.deep.equal([
      'no rules for world',
      'instances of other applications are left out: shop',
      'instances with app=default: one (1.0)',
    ]);
    const { into } = rig.explain({}, 'shop');
    expect(into.stopped).to.equal(true);
    expect(into.rejection?.code).to.equal('MESH_ERR_NO_SUBSET');
  });

  it('ends where a rule without a route leads to a service that only other applications have', async () => {
    const rig = await RouterRig.make(rules('- timeout: 1s'), { world: [{ ...V1, app: 'shop' }] });
    expect(rig.send().rejection?.code).to.equal('MESH_ERR_NO_SUBSET');
    const { into } = rig.explain();
    expect(into.steps[0]?.decision).to.equal('routeRule.world[0] -> default');
    expect(into.rejection).to.deep.equal(rig.send().rejection);
  });

  const mirrors: readonly (readonly [mirror: string, said: string])[] = [
    ['{service: lab, percentage: 10}', 'mirrors 10 % to lab app=default'],
    ['{tags: {version: 9.0}}', 'no instance of world with version=9.0 takes calls (no-target)'],
    ['{service: nosuch}', 'nothing is known of a service named nosuch (no-target)'],
    ['{service: gone}', 'no service named gone is registered (no-target)'],
  ];
  for (const [mirror, said] of mirrors) {
    it(`says of the mirror ${mirror}: ${said}`, async () => {
      const lab = [httpInstance('10.0.1.1:80', { service: 'lab' })];
      const rig = await RouterRig.make(rules(`- mirror: ${mirror}`), { ...WORLD, lab, gone: [] });
      rig.plan('gone')?.apply({ service: 'gone', exists: false, revision: 'none', instances: [] }, 0);
      const { call, into } = rig.explain();
      const line = into.steps[0]?.details.find((detail) => detail.startsWith('mirrors'));
      expect(line?.endsWith(said), line).to.equal(true);
      expect(call.mirror).to.equal(undefined);
    });
  }

  it('shows the fields that a rule sets on its own answer', async () => {
    const yaml = '- redirect: {path: /new}\n  headers: {response: {set: {x-a: "1"}}}';
    const rig = await RouterRig.make(rules(yaml), WORLD);
    const { call, into } = rig.explain();
    expect(into.stopped).to.equal(true);
    expect(call.responseFields).to.deep.equal(rig.send().call.responseFields);
    expect(call.responseFields?.map(([name]) => name)).to.deep.equal(['Location', 'x-a']);
  });
});
