import { expect } from 'chai';
import { httpInstance } from '../testing/instances.js';
import { loadFiles, NAMED } from '../testing/load-files.js';
import { RouterRig } from '../testing/router-rig.js';

const WORLD = { world: [httpInstance('10.0.0.1:80')] };

const GROUPS = {
  'chassis.yaml': `servicecomb:
  match:
    vip: |
      matches:
      - headers: {X-Level: {exact: gold}}
        trafficMarkPolicy: once
      - queries: {vip: "1"}
    reads: |
      matches:
      - method: [GET, HEAD]
        apiPath: {prefix: /orders}
    elsewhere:
      matches:
      - serviceName: other
`,
};

describe('the traffic marker', () => {
  it('gives a call every mark that holds, in the order of the configuration', async () => {
    const rig = await RouterRig.make(GROUPS, WORLD);
    const { call } = rig.send({ path: '/orders/1', headers: { 'x-level': 'gold' } });
    expect(call.marks).to.deep.equal(['vip', 'reads']);
    expect(rig.send().call.marks).to.deep.equal([]);
    expect(rig.send({ path: '/orders', method: 'POST' }).call.marks).to.deep.equal([]);
  });

  it('looks at a query parameter by its value, not at the text of the query', async () => {
    const rig = await RouterRig.make(GROUPS, WORLD);
    expect(rig.send({ path: '/?vip=1' }).call.marks).to.deep.equal(['vip']);
    expect(rig.send({ path: '/?not-vip=1' }).call.marks).to.deep.equal([]);
  });

  it('understands a group without matches, as the guides of go-chassis show it, in both notations', async () => {
    const matcher = `headers:
          cookie: {regex: "^(.*?;)?(user=jack)(;.*)?$"}
          os: {contains: linux}
        apiPath: {exact: "/some/api"}
        method: GET
        trafficMarkPolicy: once`;
    for (const notation of ['|', '']) {
      const yaml = `servicecomb:\n  match:\n    from-jack: ${notation}\n        ${matcher}\n        alias: jack\n`;
      const rig = await RouterRig.make({ 'chassis.yaml': yaml }, WORLD);
      const headers = { cookie: 'a=b;user=jack', os: 'linux 6' };
      const { call } = rig.send({ path: '/some/api?x', headers });
      expect(call.marks, notation).to.deep.equal(['from-jack']);
      expect(call.sent('x-mark'), notation).to.deep.equal(['from-jack']);
      expect(rig.send({ path: '/some/api', method: 'POST', headers }).call.marks, notation).to.deep.equal([]);
    }
    const { errors, notices, said } = await loadFiles({
      ...NAMED,
      'chassis.yaml': 'servicecomb.match.a: |\n  metod: GET\n  headers: {a: {regex: "("}}\n',
    });
    expect(said(errors)[0]).to.contain('servicecomb.match.a.matches[0].headers.a.regex');
    expect(said(notices).join()).to.contain("did you mean 'servicecomb.match.a.matches[0].method'");
  });

  it('compares the whole query where operators stand in the place of parameters, as in go-chassis', async () => {
    const yaml = 'servicecomb.match.slow: |\n  matches:\n  - queries: {contains: wait, noEqu: wait}\n';
    const rig = await RouterRig.make({ 'chassis.yaml': yaml }, WORLD);
    const marked = ['/?a=wait', '/?wait=1', '/?wait', '/?contains=wa', '/'].map(
      (path) => rig.send({ path }).call.marks,
    );
    expect(marked).to.deep.equal([['slow'], ['slow'], [], [], []]);
    const parameter = await RouterRig.make(
      { 'chassis.yaml': 'servicecomb.match.slow: |\n  matches:\n  - queries: {contains: {exact: wait}}\n' },
      WORLD,
    );
    expect(parameter.send({ path: '/?contains=wait' }).call.marks).to.deep.equal(['slow']);
    const { errors, said } = await loadFiles({
      ...NAMED,
      'chassis.yaml': 'servicecomb.match.a: |\n  matches:\n  - queries: {regex: "("}\n',
    });
    expect(said(errors)[0]).to.contain('regular expression');
  });

  it('sends on a mark that was given once, and no other', async () => {
    const rig = await RouterRig.make(GROUPS, WORLD);
    const both = rig.send({ path: '/orders/1', headers: { 'x-level': 'gold' } });
    expect(both.call.sent('x-mark')).to.deep.equal(['vip']);
    expect(
      rig.send({ path: '/?vip=1' }).call.sent('x-mark'),
      'the alternative that matched is per service',
    ).to.deep.equal([]);
  });

  it('keeps a mark to itself whose name cannot stand in a header field', async () => {
    const yaml = 'servicecomb.match.größe: |\n  matches:\n  - method: [GET]\n    trafficMarkPolicy: once\n';
    const rig = await RouterRig.make({ 'chassis.yaml': yaml }, WORLD);
    const { call } = rig.send();
    expect(call.marks).to.deep.equal(['größe']);
    expect(call.sent('x-mark')).to.deep.equal([]);
  });

  it('believes marks that come with a call only when they exist here and travel', async () => {
    const rig = await RouterRig.make(GROUPS, WORLD);
    const { call } = rig.send({ headers: { 'X-Mark': 'made-up, vip,reads' } });
    expect(call.marks).to.deep.equal(['vip']);
    expect(call.sent('x-mark')).to.deep.equal(['vip']);
  });

  it('does not count a mark twice that came twice, and looks at no more names than there are groups', async () => {
    const rig = await RouterRig.make(GROUPS, WORLD);
    const { call } = rig.send({ headers: { 'X-Mark': `${'made-up,'.repeat(1000)}vip, vip` } });
    expect(call.marks).to.deep.equal(['vip']);
    expect(call.sent('x-mark')).to.deep.equal(['vip']);
  });

  it('marks connections that are not HTTP by their service only', async () => {
    const rig = await RouterRig.make(
      { 'chassis.yaml': 'servicecomb.match.all: |\n  matches:\n  - serviceName: world\n' },
      WORLD,
    );
    expect(rig.send({ protocol: 'tcp', method: '', path: '' }).call.marks).to.deep.equal(['all']);
  });

  it('takes over a changed configuration, and costs nothing without match groups', async () => {
    const rig = await RouterRig.make({}, WORLD);
    expect(rig.marker.isActive).to.equal(false);
    await rig.reconfigure(GROUPS);
    expect(rig.marker.isActive).to.equal(true);
    expect(rig.send({ path: '/orders' }).call.marks).to.deep.equal(['reads']);
  });

  it('explains each group', async () => {
    const rig = await RouterRig.make(GROUPS, WORLD);
    const { call, into } = rig.explain({ path: '/orders', headers: { 'x-mark': 'vip' } });
    expect(call.marks).to.deep.equal(['vip', 'reads']);
    expect(into.steps[0]).to.deep.include({ stage: 'traffic-marker', decision: 'marks: vip, reads' });
    expect(into.steps[0]?.details).to.deep.equal([
      'vip: came with the call in x-mark',
      "reads matches: matches method: GET, HEAD, path: prefix '/orders'",
      "elsewhere does not match: wants called service: other; the call has 'world'",
    ]);
  });

  it('refuses a group without matches', async () => {
    const { errors, said } = await loadFiles({ ...NAMED, 'chassis.yaml': 'servicecomb.match.a: |\n  alias: x\n' });
    expect(said(errors)).to.deep.equal([
      'chassis.yaml:2:3  servicecomb.match.a.matches  is required but not set (a list)',
    ]);
  });
});
