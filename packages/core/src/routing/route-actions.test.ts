import { expect } from 'chai';
import { DirectAnswer } from '../errors.js';
import { FakeCall } from '../testing/fake-call.js';
import { httpInstance } from '../testing/instances.js';
import { RouterRig } from '../testing/router-rig.js';
import { rules, WORLD } from './testing/world-rules.js';

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
      const rig = await RouterRig.make(rules(`- rewrite: ${rewrite}\n  route: [{tags: {version: 1.0}}]`), WORLD);
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
    expect(copies.map((copy) => copy?.endpoint?.instance?.instanceId ?? '-').join(' ')).to.equal('- - - two - - - two');
    expect(copies[3]?.authority).to.equal('world-shadow:8080');
    const other = await RouterRig.make(rules('- mirror: {service: lab, host: lab.example}'), services);
    expect(other.send().call.mirror).to.deep.include({ authority: 'lab.example' });
    expect(other.send().call.mirror?.endpoint?.instance?.instanceId).to.equal('shadow');
    expect(other.send({ protocol: 'tcp', method: '', path: '' }).call.mirror).to.equal(undefined);
  });

  it('mirrors within the own application, and to another one only by its tag', async () => {
    const services = { ...WORLD, lab: [httpInstance('10.0.1.1:80', { instanceId: 'shadow', app: 'shop' })] };
    const own = await RouterRig.make(rules('- mirror: {service: lab}'), services);
    expect(own.send().call.mirror).to.include({ endpoint: undefined });
    const other = await RouterRig.make(rules('- mirror: {service: lab, tags: {app: shop}}'), services);
    expect(other.send().call.mirror?.endpoint?.instance?.instanceId).to.equal('shadow');
  });

  it('orders copies that nobody can take, too, so that they are counted', async () => {
    for (const mirror of ['{tags: {version: 9.0}}', '{service: nosuch}']) {
      const rig = await RouterRig.make(rules(`- mirror: ${mirror}`), WORLD);
      expect(rig.send({ authority: 'world' }).call.mirror).to.deep.equal({
        endpoint: undefined,
        authority: 'world-shadow',
      });
    }
  });

  it('has the targets of copies watched ahead of the first call, and not those of rules that are gone', async () => {
    const rig = await RouterRig.make(rules('- mirror: {service: lab}\n- mirror: {tags: {version: 2.0}}'), WORLD);
    expect([...rig.kept]).to.deep.equal(['lab']);
    await rig.reconfigure(rules('- mirror: {service: other}'));
    expect([...rig.kept]).to.deep.equal(['other']);
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
