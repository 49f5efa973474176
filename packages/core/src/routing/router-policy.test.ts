import { expect } from 'chai';
import type { SmallFamily } from '../telemetry/metric-family.js';
import { httpInstance } from '../testing/instances.js';
import { RouterRig } from '../testing/router-rig.js';
import { rules, V1, V10, V2, WORLD } from './testing/world-rules.js';

/** What `mesher_route_total` says. */
function counts({ context }: RouterRig): string[] {
  const family = context.metrics.families().find(({ definition }) => definition.name === 'mesher_route_total');
  const samples = [...(family as SmallFamily).slices()].flat();
  return samples.map(({ labels, value }) => `${labels['rule']} ${labels['subset']} ${value}`);
}

describe('a route rule', () => {
  it('splits calls exactly and evenly by weight', async () => {
    const rig = await RouterRig.make(
      rules('- route:\n  - tags: {version: 1.0}\n    weight: 80\n  - tags: {version: 2.0}\n    weight: 20'),
      WORLD,
    );
    const order = Array.from({ length: 10 }, () => rig.send().instance);
    expect(order.filter((one) => one === 'two')).to.have.length(2);
    expect(order.slice(0, 5).filter((one) => one === 'two')).to.have.length(1);
  });

  it('leaves the rest below 100 to the newest version', async () => {
    const rig = await RouterRig.make(rules('- route: [{tags: {version: 1.0}, weight: 75}]'), WORLD);
    expect(rig.spread(100)).to.deep.equal({ one: 75, ten: 25 });
  });

  it('shares among routes without a weight what the others leave', async () => {
    const one = await RouterRig.make(rules('- route: [{tags: {version: 2.0}}]'), WORLD);
    expect(one.spread(10)).to.deep.equal({ two: 10 });
    const three = await RouterRig.make(
      rules('- route: [{tags: {version: 1.0}, weight: 50}, {tags: {version: 2.0}}, {tags: {zone: b}}]'),
      WORLD,
    );
    expect(three.spread(8)).to.deep.equal({ one: 4, two: 2, ten: 2 });
  });

  it('is tried in the order of precedence, then as written', async () => {
    const rig = await RouterRig.make(
      rules(
        '- route: [{tags: {version: 1.0}}]\n- precedence: 2\n  match: {headers: {x-user: tom}}\n  route: [{tags: {version: 2.0}}]\n- precedence: 2\n  route: [{tags: {version: latest}}]',
      ),
      WORLD,
    );
    expect(rig.send({ headers: { 'X-User': 'tom' } }).instance).to.equal('two');
    expect(rig.send().instance).to.equal('ten');
  });

  it('of equal precedence shares no weights with another', async () => {
    const rig = await RouterRig.make(
      rules(
        '- match: {headers: {a: "1"}}\n  route: [{tags: {version: 1.0}, weight: 50}, {tags: {version: 2.0}, weight: 50}]\n- route: [{tags: {version: 1.0}, weight: 50}, {tags: {version: 2.0}, weight: 50}]',
      ),
      WORLD,
    );
    const mixed = Array.from({ length: 8 }, (_, i) => rig.send(i % 2 === 0 ? { headers: { a: '1' } } : {}).instance);
    expect(mixed).to.deep.equal(['one', 'one', 'two', 'two', 'one', 'one', 'two', 'two']);
  });

  it('looks at path, method, query and mark besides header fields', async () => {
    const files = {
      ...rules(
        '- match:\n    path: /users/{id}/**\n    method: [get]\n    query: {page: {less: 10}}\n    refer: vip\n  route: [{tags: {version: 2.0}}]\n- route: [{tags: {version: 1.0}}]',
      ),
      'chassis.yaml': 'servicecomb.match.vip: |\n  matches:\n  - headers: {x-level: {exact: gold}}\n',
    };
    const rig = await RouterRig.make(files, WORLD);
    const right = { path: '/users/7/orders?page=3', headers: { 'x-level': 'gold' } };
    expect(rig.send(right).instance).to.equal('two');
    for (const wrong of [
      { path: '/users/7/orders?page=30' },
      { path: '/users' },
      { method: 'POST' },
      { headers: {} },
    ]) {
      expect(rig.send({ ...right, ...wrong }).instance, JSON.stringify(wrong)).to.equal('one');
    }
  });

  it('asks the match group itself where no traffic marker stands in the chain', async () => {
    const files = {
      ...rules('- match: {refer: vip}\n  route: [{tags: {version: 2.0}}]\n- route: [{tags: {version: 1.0}}]'),
      'chassis.yaml': 'servicecomb.matchGroup.vip: |\n  matches:\n  - apiPath: {prefix: /vip}\n',
    };
    const rig = await RouterRig.make(files, WORLD);
    const { call } = rig.send({ path: '/vip/1' });
    call.marks = [];
    rig.router.before(call);
    expect(call.subset?.name).to.equal('version=2.0');
  });

  it('refers to the templates of go-chassis 1, unless a match group has the name', async () => {
    const template =
      'routeRule:\n  world:\n  - precedence: 2\n    match: {refer: special}\n    route: [{weight: 100, tags: {version: 2.0}}]\n  - precedence: 1\n    route: [{weight: 100, tags: {version: 1.0}}]\nsourceTemplate:\n  special:\n    source: orders\n    headers:\n      cookie: {regex: "^(.*?;)?(user=jason)(;.*)?$"}\n';
    const rig = await RouterRig.make({ 'router.yaml': template }, WORLD);
    expect(rig.context.logger.lines, 'no reference dangles').to.deep.equal([]);
    expect(rig.send({ headers: { cookie: 'user=jason' } }).instance).to.equal('two');
    expect(rig.send({ headers: { cookie: 'user=tom' } }).instance).to.equal('one');
    expect(rig.send().instance).to.equal('one');
    await rig.reconfigure({ 'router.yaml': template.replace('source: orders', 'source: others') });
    expect(rig.send({ headers: { cookie: 'user=jason' } }).instance, 'the caller is orders').to.equal('one');
    const group = 'servicecomb.match.special: |\n  matches:\n  - headers: {a: {exact: b}}\n';
    await rig.reconfigure({ 'router.yaml': template, 'chassis.yaml': group });
    expect(rig.send({ headers: { cookie: 'user=jason' } }).instance).to.equal('one');
    expect(rig.send({ headers: { a: 'b' } }).instance).to.equal('two');
  });

  it('warns of a reference to a match group that does not exist', async () => {
    const rig = await RouterRig.make(rules('- match: {refer: nobody}\n  route: [{tags: {version: 2.0}}]'), WORLD);
    expect(JSON.stringify(rig.context.logger.lines)).to.contain("refer 'nobody'");
  });

  it('knows its own service as the source of calls that leave, by tags as well', async () => {
    const files = {
      ...rules(
        '- match: {source: orders, sourceTags: {version: 3.1, stage: blue}}\n  route: [{tags: {version: 2.0}}]\n- route: [{tags: {version: 1.0}}]',
      ),
      'microservice.yaml': 'servicecomb.service: {version: 3.1, instanceProperties: {stage: blue}}\n',
    };
    expect((await RouterRig.make(files, WORLD)).send().instance).to.equal('two');
    const green = {
      ...files,
      'microservice.yaml': 'servicecomb.service: {version: 3.1, instanceProperties: {stage: green}}\n',
    };
    expect((await RouterRig.make(green, WORLD)).send().instance, 'sourceTags are checked').to.equal('one');
  });

  it('leads to another application by its tag', async () => {
    const foreign = httpInstance('10.0.0.9:80', { instanceId: 'foreign', app: 'shop', version: '1.0' });
    const rig = await RouterRig.make(rules('- route: [{tags: {app: shop}}]'), { world: [V1, foreign] });
    expect(rig.spread(4)).to.deep.equal({ foreign: 4 });
    expect(rig.send().call.subset?.name).to.equal('app=shop');
  });

  it('chooses a part that nobody is in, and names it', async () => {
    const rig = await RouterRig.make(rules('- route: [{tags: {version: 7, zone: z}}]'), WORLD);
    const { call, instance } = rig.send();
    expect(instance).to.equal(undefined);
    expect(call.subset).to.include({ name: 'version=7 zone=z', whenEmpty: 'fail' });
    const lenient = await RouterRig.make(rules('- whenEmpty: any\n  route: [{tags: {version: 7}}]'), WORLD);
    expect(lenient.send().call.subset?.whenEmpty).to.equal('any');
    expect(lenient.spread(3), 'all others').to.deep.equal({ one: 1, two: 1, ten: 1 });
    lenient.publish('world', [V1, { ...V2, version: '7', status: 'DOWN' }, { ...V10, app: 'shop' }]);
    expect(lenient.spread(2), 'those of the application, when nobody of the part takes calls').to.deep.equal({
      one: 2,
    });
    lenient.publish('world', [V1, { ...V2, version: '7' }]);
    expect(lenient.spread(2)).to.deep.equal({ two: 2 });
  });

  it('for connections that are not HTTP looks at the source only', async () => {
    const rig = await RouterRig.make(
      rules(
        '- match: {headers: {a: {noEqu: "1"}}}\n  route: [{tags: {version: 1.0}}]\n- match: {source: orders}\n  headers: {request: {set: {x-a: b}}}\n  route: [{tags: {version: 2.0}}]',
      ),
      {
        world: [V1, V2].map((one) => ({
          ...one,
          addresses: new Map([['tcp', { host: one.instanceId, port: 1, tls: false }]]),
        })),
      },
    );
    const { call, instance } = rig.send({ protocol: 'tcp', method: '', path: '' });
    expect(instance).to.equal('two');
    expect(call.sent('x-a')).to.deep.equal([]);
  });
});

describe('a change of the configuration', () => {
  const split =
    '- name: split\n  route:\n  - tags: {version: 1.0}\n    weight: 75\n  - tags: {version: 2.0}\n    weight: 25';

  it('takes effect with the next call, and leaves rules alone that did not change', async () => {
    const rig = await RouterRig.make(rules(split), WORLD);
    const twin = await RouterRig.make(rules(split), WORLD);
    const subset = rig.send().call.subset;
    twin.send();
    rig.send();
    twin.send();
    await rig.reconfigure(rules(`- match: {headers: {a: b}}\n  route: [{tags: {zone: b}}]\n${split}`));
    const after = Array.from({ length: 6 }, () => rig.send().call.subset);
    expect(after.map((one) => one?.name)).to.deep.equal(Array.from({ length: 6 }, () => twin.send().call.subset?.name));
    expect(after, 'the same object, so that plans keep what they compiled for it').to.include(subset);
    expect(rig.send({ headers: { a: 'b' } }).instance).to.equal('ten');
    await rig.reconfigure({});
    expect(rig.send().call.route).to.equal(undefined);
  });

  it('lets a rule without a name go on when another one is written before it', async () => {
    const unnamed = split.replace('name: split', 'precedence: 0');
    const rig = await RouterRig.make(rules(unnamed), WORLD);
    const before = Array.from({ length: 2 }, () => rig.send().instance);
    await rig.reconfigure(rules(`- match: {headers: {a: b}}\n  route: [{tags: {zone: b}}]\n${unnamed}`));
    const after = Array.from({ length: 2 }, () => rig.send().instance);
    expect([...before, ...after].filter((one) => one === 'two')).to.have.length(1);
  });

  it('keeps the counts of rules that did not change', async () => {
    const rig = await RouterRig.make(rules(split), WORLD);
    rig.spread(4);
    await rig.reconfigure({ ...rules(split), 'mesher.yaml': 'mesher.serverTiming: true\n' });
    rig.spread(4);
    expect(counts(rig)).to.deep.equal(['split version=1.0 6', 'split version=2.0 2']);
  });
});

describe('the counts of routes', () => {
  it('are one series where routes, or rules of one name, lead to the same instances', async () => {
    const rig = await RouterRig.make(
      rules(
        '- name: one\n  match: {headers: {a: b}}\n  route: [{tags: {version: latest}, weight: 50}]\n- name: one\n  route: [{tags: {version: latest}}]',
      ),
      WORLD,
    );
    rig.spread(4);
    rig.spread(3, { headers: { a: 'b' } });
    expect(counts(rig)).to.deep.equal(['one version=latest 7']);
  });
});

describe('rules for calls that arrive', () => {
  it('match the identified source, and edit without choosing instances', async () => {
    const files = {
      'router.yaml':
        'servicecomb.routeRule.orders: |\n  - match: {source: web, sourceTags: {version: 1.0}}\n    headers: {request: {set: {x-from: web}}}\n    route: [{tags: {version: 1.0}}]\n  - match: {source: bot}\n    directResponse: {status: 403}\n',
    };
    const rig = await RouterRig.make(files, {}, { direction: 'inbound' });
    const fromWeb = rig.send({ source: { service: 'web', version: '1.0', by: 'ip' } }, 'orders');
    expect(fromWeb.call.sent('x-from')).to.deep.equal(['web']);
    expect(fromWeb.call.subset).to.equal(undefined);
    expect(rig.send({ source: { service: 'bot', by: 'header' } }, 'orders').rejection?.status).to.equal(403);
    expect(rig.send({ source: { service: 'web', by: 'ip' } }, 'orders').call.sent('x-from')).to.deep.equal([]);
    expect(rig.router.isActive).to.equal(true);
    await rig.reconfigure({});
    expect(rig.router.isActive).to.equal(false);
  });
});
