import { expect } from 'chai';
import { DirectAnswer } from '../errors.js';
import type { SmallFamily } from '../telemetry/metric-family.js';
import { httpInstance, instanceAt } from '../testing/instances.js';
import { loadFiles, NAMED } from '../testing/load-files.js';
import { FakeCall } from '../testing/fake-call.js';
import { RouterRig } from '../testing/router-rig.js';

const V1 = httpInstance('10.0.0.1:80', { instanceId: 'one', version: '1.0' });
const V2 = httpInstance('10.0.0.2:80', { instanceId: 'two', version: '2.0' });
const V10 = httpInstance('10.0.0.3:80', { instanceId: 'ten', version: '10.0', metadata: { zone: 'b' } });
const WORLD = { world: [V1, V2, V10] };

/** Rules of the service `world`, as a YAML text. */
function rules(yaml: string): Readonly<Record<string, string>> {
  const lines = yaml.trimEnd().split('\n');
  return {
    'router.yaml': `servicecomb:\n  routeRule:\n    world: |\n${lines.map((line) => `      ${line}\n`).join('')}`,
  };
}

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

describe('what a route rule does besides', () => {
  it('edits header fields of requests and answers, for the rule and for the route', async () => {
    const rig = await RouterRig.make(
      rules(
        '- headers:\n    request: {set: {X-A: "1"}, add: {x-b: "2"}, remove: [x-c]}\n    response: {set: {x-d: "3"}, remove: X-E}\n  route:\n  - tags: {version: 1.0}\n    headers: {request: {add: {x-b: "4"}}}',
      ),
      WORLD,
    );
    const { call } = rig.send({ headers: { 'x-a': 'old', 'x-b': 'old', 'x-c': 'old' } });
    expect([call.sent('x-a'), call.sent('x-b'), call.sent('x-c')]).to.deep.equal([['1'], ['old', '2', '4'], []]);
    expect(call.removedResponseFields).to.deep.equal(['x-d', 'x-e']);
    expect(call.responseFields).to.deep.equal([['x-d', '3']]);
  });

  it('lets the route replace what the rule has set in the answer, and keeps what others have added', async () => {
    const rig = await RouterRig.make(
      rules(
        '- headers: {response: {set: {x-a: rule, x-b: rule}, add: {x-c: rule}}}\n  route:\n  - tags: {version: 1.0}\n    headers: {response: {set: {X-A: route}, remove: [X-C]}}',
      ),
      WORLD,
    );
    const call = new FakeCall({ destination: { service: 'world' } });
    call.plan = rig.plan('world');
    call.addResponseField('x-other', '1');
    rig.router.before(call);
    expect(call.responseFields).to.deep.equal([
      ['x-other', '1'],
      ['x-b', 'rule'],
      ['X-A', 'route'],
    ]);
  });

  const rewrites: readonly (readonly [rewrite: string, path: string, sent: string | undefined])[] = [
    ['{path: /new}', '/old?a=1', '/new?a=1'],
    ['{prefix: {from: /v1, to: /}}', '/v1/users?a=1', '/users?a=1'],
    ['{prefix: {from: /v1, to: /api/}}', '/v1/users', '/api/users'],
    ['{prefix: {from: /v1, to: /}}', '/v1', '/'],
    ['{prefix: {from: /v1, to: /}}', '/v10/users', undefined],
    ['{prefix: {from: /, to: /api}}', '/users', '/api/users'],
    ['{regex: {pattern: "^/(\\\\d+)/(.*)$", substitution: "/\\\\2/$1"}}', '/7/x?q', '/x/7?q'],
    ['{path: /new}', '*', undefined],
  ];
  for (const [rewrite, path, sent] of rewrites) {
    it(`with the rewrite ${rewrite} makes ${sent ?? 'nothing new'} of ${path}`, async () => {
      const yaml = rewrite.includes('regex') ? rewrite.replaceAll('\\\\', '\\\\') : rewrite;
      const rig = await RouterRig.make(rules(`- rewrite: ${yaml}\n  route: [{tags: {version: 1.0}}]`), WORLD);
      expect(rig.send({ path }).call.sentPath).to.equal(sent);
    });
  }

  it('rewrites the host', async () => {
    const rig = await RouterRig.make(rules('- rewrite: {host: other.example}'), WORLD);
    expect(rig.send({ headers: { host: 'world' } }).call.sent('host')).to.deep.equal(['other.example']);
  });

  it('redirects, or answers by itself', async () => {
    const rig = await RouterRig.make(
      rules(
        '- match: {path: /old}\n  redirect: {status: 308, scheme: https, host: new.example, path: /new}\n- directResponse: {status: 410, body: gone}',
      ),
      WORLD,
    );
    const redirected = rig.send({ path: '/old?a=1' });
    expect(redirected.rejection).to.include({ code: 'MESH_REDIRECT', status: 308 });
    expect(redirected.call.responseFields).to.deep.equal([['Location', 'https://new.example/new?a=1']]);
    expect(rig.send().rejection).to.be.instanceOf(DirectAnswer).and.include({ status: 410, body: 'gone' });
  });

  it('edits the fields of its own answers, too', async () => {
    const rig = await RouterRig.make(
      rules(
        '- match: {path: /old}\n  redirect: {path: /new}\n  headers: {response: {set: {x-a: "1"}}}\n- directResponse: {status: 410}\n  headers: {response: {add: {x-b: "2"}}}',
      ),
      WORLD,
    );
    expect(rig.send({ path: '/old' }).call.responseFields?.map(([name]) => name)).to.deep.equal(['Location', 'x-a']);
    expect(rig.send().call.responseFields).to.deep.equal([['x-b', '2']]);
    expect(rig.send({ protocol: 'tcp', method: '', path: '' }).call.responseFields).to.equal(undefined);
  });

  it('gives calls a timeout and a retry rule; those of a route count before those of the rule', async () => {
    const rig = await RouterRig.make(
      rules(
        '- timeout: 2s\n  retry: {maxAttempts: 4, retryOn: "5xx,reset", perTryTimeout: 300}\n  route: [{tags: {version: 1.0}, timeout: 100ms}]',
      ),
      WORLD,
    );
    const { route } = rig.send().call;
    expect(route).to.deep.include({
      name: 'routeRule.world[0] -> version=1.0',
      timeoutMs: 100,
      retry: { maxAttempts: 4, retryOn: ['5xx', 'reset'], perTryTimeoutMs: 300 },
    });
  });

  it('mirrors every n-th call, to a part of the service or to another one', async () => {
    const shadow = httpInstance('10.0.1.1:80', { instanceId: 'shadow', service: 'lab' });
    const services = { ...WORLD, lab: [shadow] };
    const part = await RouterRig.make(
      rules('- mirror: {tags: {version: 2.0}, percentage: 25}\n  route: [{tags: {version: 1.0}}]'),
      services,
    );
    const copies = Array.from({ length: 8 }, () => part.send({ authority: 'world:8080' }).call.mirror);
    expect(copies.map((copy) => copy?.endpoint.instance?.instanceId ?? '-').join(' ')).to.equal('- - - two - - - two');
    expect(copies[3]?.authority).to.equal('world-shadow:8080');
    const other = await RouterRig.make(rules('- mirror: {service: lab, host: lab.example}'), services);
    expect(other.send().call.mirror).to.deep.include({ authority: 'lab.example' });
    expect(other.send().call.mirror?.endpoint.instance?.instanceId).to.equal('shadow');
    expect(other.send({ method: 'CONNECT' }).call.mirror).to.equal(undefined);
  });

  it('gives the caller no cookie of the instance that gets the copy', async () => {
    const rig = await RouterRig.make(
      { ...rules('- headers: {response: {add: {a: b}}}\n  mirror: {service: lab}') },
      { ...WORLD, lab: [httpInstance('10.0.1.1:80', { instanceId: 'shadow', service: 'lab' })] },
      { strategy: 'SessionStickiness' },
    );
    const call = new FakeCall({ destination: { service: 'world' } });
    call.plan = rig.plan('world');
    expect(rig.router.before(call)).to.equal(undefined);
    expect(call.mirror).to.not.equal(undefined);
    expect(call.responseFields).to.deep.equal([['a', 'b']]);
  });
});

describe('rules of the first kind', () => {
  function policy(json: unknown): Readonly<Record<string, string>> {
    return { 'router.yaml': `servicecomb.darklaunch.policy.world: '${JSON.stringify(json)}'\n` };
  }

  it('split calls by rate', async () => {
    const ruleItems = [
      { groupName: 's0', groupCondition: 'version=1.0,2.0', policyCondition: '50' },
      { groupName: 's1', groupCondition: 'version=10.0', policyCondition: '50' },
    ];
    const rig = await RouterRig.make(policy({ policyType: 'RATE', ruleItems }), WORLD);
    expect(rig.spread(8)).to.deep.equal({ one: 2, two: 2, ten: 4 });
  });

  const conditions: readonly (readonly [condition: string, value: string | undefined, matches: boolean])[] = [
    ['user_id=x', 'x', true],
    ['user_id=x', 'X', false],
    ['user_id!=x', 'y', true],
    ['user_id!=x', undefined, true],
    ['user_id>5', '6', true],
    ['user_id>=5', '5', true],
    ['user_id<5', '5', false],
    ['user_id<=5', '5', true],
    ['user_id~^a', 'abc', true],
    ['user_id~^a', undefined, false],
  ];
  for (const [policyCondition, value, matches] of conditions) {
    it(`${policyCondition} ${matches ? 'matches' : 'does not match'} ${value ?? 'a call without the field'}`, async () => {
      const ruleItems = [{ groupCondition: 'version=2.0', policyCondition }];
      const rig = await RouterRig.make(policy({ policyType: 'RULE', ruleItems }), WORLD);
      const headers: Record<string, string> = value === undefined ? {} : { 'User-Id': value };
      expect(rig.send({ headers }).call.subset?.name === 'version=2.0').to.equal(matches);
    });
  }

  it('are refused when they cannot be meant', async () => {
    const item = { groupCondition: 'version=1', policyCondition: '70' };
    const tooMuch = await loadFiles({ ...NAMED, ...policy({ policyType: 'RATE', ruleItems: [item, item] }) });
    expect(tooMuch.said(tooMuch.errors)[0]).to.contain('add up to 140');
    const noCondition = await loadFiles({ ...NAMED, ...policy({ policyType: 'RULE', ruleItems: [item] }) });
    expect(noCondition.said(noCondition.errors)[0]).to.contain("'70' is no condition");
    const wrong = [
      ['user~(', 'regular expression'],
      ['user~(?=x)', 'look-around'],
      ['age>old', "'old', which is no number"],
      ['age<=', 'no number'],
    ] as const;
    for (const [policyCondition, said] of wrong) {
      const ruleItems = [{ groupCondition: 'version=1', policyCondition }];
      const { errors, said: texts } = await loadFiles({ ...NAMED, ...policy({ policyType: 'RULE', ruleItems }) });
      expect(texts(errors)[0], policyCondition).to.contain(said);
    }
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
    const family = rig.context.metrics.families().find(({ definition }) => definition.name === 'mesher_route_total');
    const samples = [...(family as SmallFamily).slices()].flat();
    expect(samples.map(({ labels, value }) => `${labels['rule']} ${labels['subset']} ${value}`)).to.deep.equal([
      'split version=1.0 6',
      'split version=2.0 2',
    ]);
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

describe('rules that cannot be meant', () => {
  const cases: readonly (readonly [yaml: string, message: string])[] = [
    [
      '- route: [{tags: {version: 1}, weight: 60}, {tags: {version: 2}, weight: 60}]',
      'router.yaml:4:9  servicecomb.routeRule.world[0]  the weights of its routes add up to 120; at most 100 are possible',
    ],
    [
      '- precedence: 1\n  route: []',
      "router.yaml:4:9  servicecomb.routeRule.world[0]  has no route; add 'route: [{tags: {version: ...}}]'",
    ],
    [
      '- precedence: 1',
      "router.yaml:4:9  servicecomb.routeRule.world[0]  has no route; add 'route: [{tags: {version: ...}}]'",
    ],
    [
      '- match: {headers: {a: {regex: "(a"}}}\n  route: [{}]',
      'router.yaml:4:38  servicecomb.routeRule.world[0].match.headers.a.regex  expects a regular expression as RE2 and Go know it: missing closing ): `(a`, found',
    ],
    [
      '- match: {headers: {a: {less: x}}}\n  route: [{tags: {a: b}}]',
      'router.yaml:4:37  servicecomb.routeRule.world[0].match.headers.a.less  expects a number',
    ],
    ['- headers: {request: {set: {Content-Length: "1"}}}', "the header 'Content-Length' frames the message"],
    ['- headers: {request: {remove: [X-Mesher-Hop]}}', 'is how sidecars talk to each other'],
    [
      '- headers: {response: {remove: [x-mesher-error], add: {x-mesher-error: a}}}',
      'is how sidecars talk to each other',
    ],
    ['- headers: {request: {set: {Host: "1"}}}', "set the host with 'rewrite.host'"],
    ['- headers: {response: {add: {a: "x\\u000ay"}}}', "the header 'a' or its value cannot be sent"],
    ['- redirect: {status: 304}', 'status must be 301, 302, 303, 307 or 308'],
    ['- rewrite: {path: new}', "expects a path that starts with '/'"],
    ['- rewrite: {path: /a, regex: {pattern: b}}', "set one of 'path', 'prefix' and 'regex'"],
    ['- route: [{weight: 101}]', 'expects a whole number'],
    [`- route: [${'{tags: {a: b}}, '.repeat(101)}]`, 'has 101 routes; at most 100 are possible'],
  ];
  for (const [yaml, message] of cases) {
    it(`are refused: ${yaml.replaceAll('\n', ' ').slice(0, 100)}`, async () => {
      const { errors, said } = await loadFiles({ ...NAMED, ...rules(yaml) });
      expect(said(errors).join('\n')).to.contain(message);
    });
  }

  it('get the nearest known key for one that is mistyped', async () => {
    const { notices, said } = await loadFiles({
      ...NAMED,
      ...rules('- match: {heders: {a: b}}\n  route: [{tags: {a: b}, wieght: 3}]'),
    });
    expect(said(notices).join('\n'))
      .to.contain("did you mean 'servicecomb.routeRule.world[0].match.headers'")
      .and.contain("route[0].weight'");
  });
});

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
});
