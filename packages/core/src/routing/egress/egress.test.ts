import { expect } from 'chai';
import { Rejection } from '../../errors.js';
import { Explanation } from '../../explain/explanation.js';
import { steadyBalancing } from '../../loadbalance/steady-balancing.js';
import { Endpoint } from '../../registry/endpoint.js';
import { FakeCall, type FakeCallFacts } from '../../testing/fake-call.js';
import { handlerRig, outcome, place, type HandlerRig } from '../../testing/handler-rig.js';
import { httpInstance } from '../../testing/instances.js';
import { loadFiles, NAMED } from '../../testing/load-files.js';
import { meshDocument, policyContext, type TestPolicyContext } from '../../testing/policy-context.js';
import type { SmallFamily } from '../../telemetry/metric-family.js';
import { egressOptionsSchema } from './egress-options.js';
import { EgressPlans } from './egress-plans.js';
import { Egress } from './egress.js';

const RULES = {
  'egress.yaml': `egressRule:
  google:
  - hosts: ["www.google.com", "*.yahoo.com"]
    ports:
    - {port: 443, protocol: HTTPS}
    - {port: 8080, protocol: http}
  anything:
  - hosts: ["*.example.com", inside.example]
`,
};
const ALLOW_ANY = { 'mesher.yaml': 'mesher.egress.policy: allow_any\n' };

interface Rig extends HandlerRig {
  readonly context: TestPolicyContext;
  readonly egress: Egress;
  readonly asked: string[];
  /** What DNS says, by host; a function may throw or wait. */
  readonly dns: Map<string, readonly string[] | (() => Promise<readonly string[]>)>;
  readonly retired: Endpoint[];
  call(url: string, facts?: FakeCallFacts): Promise<{ readonly call: FakeCall; readonly to: string | Rejection }>;
}

async function makeRig(files: Readonly<Record<string, string>>): Promise<Rig> {
  const context = await policyContext({ files });
  const { ports, configuration, metrics } = context;
  const asked: string[] = [];
  const retired: Endpoint[] = [];
  const dns: Rig['dns'] = new Map([['www.google.com', ['142.250.1.1']]]);
  const lookup = async (host: string): Promise<readonly string[]> => {
    asked.push(host);
    const answer = dns.get(host);
    if (answer === undefined) throw Object.assign(new Error('not found'), { code: 'ENOTFOUND' });
    return typeof answer === 'function' ? await answer() : answer;
  };
  const surroundings = {
    ...{ ports, balancing: steadyBalancing(ports), lookup },
    retire: (endpoint: Endpoint) => void retired.push(endpoint),
    isOwnPort: (port: number) => port === 30_101,
    ownAddresses: () => ['192.168.7.7'],
  };
  const options = configuration.document.section('mesher.egress', egressOptionsSchema);
  const egress = new Egress(configuration, new EgressPlans(surroundings, options), metrics);
  const resolver = {
    resolve: ({ authority }: { readonly authority: string }) => {
      const [host = '', port] = authority.split(':');
      if (/^[\d.]+$/.test(host) || authority.startsWith('[')) return undefined;
      return port === undefined ? { service: host } : { service: host, port: Number(port) };
    },
  };
  const rig = handlerRig({ egress, resolver });
  rig.discovery.publish('world', [httpInstance('10.0.0.1:80')]);
  for (const name of ['orders.v1', 'nobody']) rig.discovery.publishAbsent(name);
  return {
    ...rig,
    ...{ context, egress, asked, dns, retired },
    async call(authority, facts) {
      rig.discovery.publishAbsent('nothing');
      const call = new FakeCall({ authority, ...facts });
      const service = authority.split(':')[0] ?? '';
      if (service !== 'world') rig.discovery.publishAbsent(service);
      const verdict = await place(rig.outbound, call);
      return { call, to: verdict instanceof Endpoint ? verdict.key : verdict };
    },
  };
}

function codeOf(to: string | Rejection): string {
  return to instanceof Rejection ? to.code : to;
}

describe('a call to a host outside the mesh', () => {
  it('goes to the address of the host when a rule names it, at the first HTTP port of the rule', async () => {
    const rig = await makeRig(RULES);
    expect((await rig.call('www.google.com')).to).to.equal('142.250.1.1:8080');
    expect((await rig.call('WWW.Google.com:443', { method: 'CONNECT', path: '' })).to).to.equal('142.250.1.1:443');
    expect(rig.asked, 'once for each port').to.deep.equal(['www.google.com', 'www.google.com']);
  });

  it('goes to the port of the URL, if the rule allows it', async () => {
    const rig = await makeRig(RULES);
    const { to } = await rig.call('www.google.com:22');
    expect(codeOf(to)).to.equal('MESH_ERR_EGRESS_DENIED');
    expect((to as Rejection).message).to.equal(
      'egressRule.google allows the ports 443, 8080 of www.google.com, not 22',
    );
    rig.dns.set('api.example.com', ['93.184.216.34']);
    expect((await rig.call('api.example.com:9000')).to, 'any port').to.equal('93.184.216.34:9000');
    expect((await rig.call('api.example.com')).to, 'port 80').to.equal('93.184.216.34:80');
  });

  it('of another protocol goes to the port of the rule for that', async () => {
    const rig = await makeRig({
      'egress.yaml':
        'egressRule:\n  db:\n  - hosts: [db.test]\n    ports: [{port: 5432, protocol: TCP}, {port: 50051, protocol: GRPC}]\n  plain:\n  - hosts: [plain.test]\n    ports: [{port: 6379, protocol: REDIS}]\n',
    });
    for (const host of ['db.test', 'plain.test']) rig.dns.set(host, ['93.184.216.34']);
    const tcp = { protocol: 'tcp', method: '', path: '' } as const;
    expect((await rig.call('db.test', tcp)).to).to.equal('93.184.216.34:5432');
    expect((await rig.call('plain.test', tcp)).to).to.equal('93.184.216.34:6379');
    expect((await rig.call('db.test', { protocol: 'grpc' })).to).to.equal('93.184.216.34:50051');
    expect((await rig.call('db.test')).to).to.equal('93.184.216.34:80');
  });

  it('goes over HTTP/2 where the rule says that the port takes it, and gRPC always does', async () => {
    const rig = await makeRig({
      'egress.yaml':
        'egressRule:\n  api:\n  - hosts: [api.test]\n    ports: [{port: 80, protocol: HTTP}, {port: 8443, protocol: HTTP2}, {port: 50051, protocol: GRPC}]\n  modern:\n  - hosts: [modern.test]\n    ports: [{port: 8080, protocol: HTTP2}]\n',
    });
    for (const host of ['api.test', 'modern.test']) rig.dns.set(host, ['93.184.216.34']);
    const spoken = async (url: string, facts?: FakeCallFacts): Promise<string> => {
      const { call, to } = await rig.call(url, facts);
      return `${String(to)} ${call.endpoint?.speaks ?? ''}`;
    };
    expect(await spoken('api.test')).to.equal('93.184.216.34:80 any');
    expect(await spoken('api.test:8443')).to.equal('93.184.216.34:8443 http2');
    expect(await spoken('api.test', { protocol: 'grpc' })).to.equal('93.184.216.34:50051 http2');
    expect(await spoken('modern.test')).to.equal('93.184.216.34:8080 http2');
    expect(await spoken('api.test:80', { protocol: 'grpc' }), 'what takes HTTP may take HTTP/2').to.equal(
      '93.184.216.34:80 any',
    );
  });

  it('is spread over all addresses of the host', async () => {
    const rig = await makeRig(RULES);
    rig.dns.set('api.example.com', ['93.184.216.34', '93.184.216.35', '2001:db8::1']);
    const found = new Set<unknown>();
    for (let i = 0; i < 3; i++) found.add((await rig.call('api.example.com')).to);
    expect(found.size).to.equal(3);
  });

  it('does not tell the outside who calls', async () => {
    const rig = await makeRig(RULES);
    const { call } = await rig.call('www.google.com:8080');
    for (const field of ['x-cse-context', 'x-cse-src-microservice', 'x-forwarded-port']) {
      expect(call.sent(field), field).to.deep.equal([]);
    }
    const inside = await rig.call('world:8080');
    expect(inside.call.sent('x-cse-src-microservice')).to.have.length(1);
  });

  it('is refused where no rule and no policy allows it; a name without a dot is that of a service', async () => {
    const rig = await makeRig(RULES);
    expect(codeOf((await rig.call('other.test')).to)).to.equal('MESH_ERR_EGRESS_DENIED');
    expect(codeOf((await rig.call('nobody')).to)).to.equal('MESH_ERR_NO_ROUTE');
    expect(rig.asked).to.deep.equal([]);
    const plain = await makeRig({});
    expect(codeOf((await plain.call('other.test')).to), 'nothing is configured').to.equal('MESH_ERR_NO_ROUTE');
    const strict = await makeRig({ 'mesher.yaml': 'mesher.egress.policy: registry_only\n' });
    expect(codeOf((await strict.call('other.test')).to)).to.equal('MESH_ERR_EGRESS_DENIED');
  });

  it('with allow_any goes wherever DNS leads, unless a service has that name', async () => {
    const rig = await makeRig(ALLOW_ANY);
    rig.dns.set('other.test', ['93.184.216.34']);
    expect((await rig.call('other.test')).to).to.equal('93.184.216.34:80');
    expect((await rig.call('other.test', { method: 'CONNECT', path: '' })).to).to.equal('93.184.216.34:443');
    expect((await rig.call('93.184.216.99:8080')).to).to.equal('93.184.216.99:8080');
    expect((await rig.call('[2001:db8::1]:8080')).to).to.equal('[2001:db8::1]:8080');
    expect((await rig.call('world')).to).to.equal('10.0.0.1:80');
    expect(codeOf((await rig.call('nobody')).to)).to.equal('MESH_ERR_NO_ROUTE');
    expect(rig.asked).to.deep.equal(['other.test', 'other.test']);
  });

  it('never goes by a wildcard or allow_any to this machine, its link or its metadata service', async () => {
    const rig = await makeRig({ ...RULES, ...ALLOW_ANY });
    rig.dns.set('rebound.example.com', ['127.0.0.1', '169.254.169.254']);
    const { to } = await rig.call('rebound.example.com');
    expect(codeOf(to)).to.equal('MESH_ERR_EGRESS_DENIED');
    expect((to as Rejection).message).to.contain('rebound.example.com leads to 127.0.0.1, 169.254.169.254');
    for (const host of ['169.254.169.254', '127.0.0.1:22', '[::1]:22', 'metadata.google.internal']) {
      rig.dns.set(host, ['93.184.216.34']);
      expect(codeOf((await rig.call(host)).to), host).to.equal('MESH_ERR_EGRESS_DENIED');
    }
    rig.dns.set('mixed.example.com', ['127.0.0.1', '93.184.216.34']);
    expect((await rig.call('mixed.example.com')).to, 'the others remain').to.equal('93.184.216.34:80');
  });

  it('goes by no wildcard to another address of this machine either, however it is written', async () => {
    const rig = await makeRig({ ...RULES, ...ALLOW_ANY });
    rig.dns.set('home.example.com', ['192.168.7.7']);
    rig.dns.set('mapped.example.com', ['::ffff:192.168.7.7']);
    for (const host of ['home.example.com:22', 'mapped.example.com:22', '192.168.7.7:22', '[::ffff:c0a8:707]:22']) {
      expect(codeOf((await rig.call(host)).to), host).to.equal('MESH_ERR_EGRESS_DENIED');
    }
    rig.dns.set('inside.example', ['::ffff:c0a8:707']);
    expect((await rig.call('inside.example:22')).to, 'a rule names it').to.equal('[::ffff:c0a8:707]:22');
    expect(codeOf((await rig.call('inside.example:30101')).to), 'a port of this sidecar').to.equal(
      'MESH_ERR_EGRESS_DENIED',
    );
  });

  it('goes there when a rule names the very host, but never to a port of this sidecar', async () => {
    const rig = await makeRig(RULES);
    rig.dns.set('inside.example', ['127.0.0.1']);
    expect((await rig.call('inside.example:8080')).to).to.equal('127.0.0.1:8080');
    const own = await rig.call('inside.example:30101');
    expect((own.to as Rejection).message).to.equal('inside.example:30101 leads to this sidecar itself');
    rig.dns.set('inside.example', ['192.168.7.7']);
    rig.context.time.advance(60_000);
    expect(codeOf((await rig.call('inside.example:30101')).to)).to.equal('MESH_ERR_EGRESS_DENIED');
  });

  it('says that DNS does not know a host, and does not ask again at once', async () => {
    const rig = await makeRig(ALLOW_ANY);
    expect(codeOf((await rig.call('gone.test')).to)).to.equal('MESH_ERR_NO_ROUTE');
    expect(codeOf((await rig.call('gone.test')).to)).to.equal('MESH_ERR_NO_ROUTE');
    expect(rig.asked).to.have.length(1);
    rig.dns.set('gone.test', ['93.184.216.34']);
    rig.context.time.advance(5_000);
    expect((await rig.call('gone.test')).to).to.equal('93.184.216.34:80');
  });

  it('waits for DNS no longer than configured', async () => {
    const rig = await makeRig(ALLOW_ANY);
    rig.dns.set('slow.test', () => new Promise(() => undefined));
    const waiting = rig.call('slow.test');
    await new Promise((resolve) => setImmediate(resolve));
    rig.context.time.advance(5_000);
    const { to } = await waiting;
    expect((to as Rejection).message).to.equal('DNS could not be asked about slow.test (ETIMEOUT)');
  });

  it('uses the addresses it has while DNS is asked again, and keeps them when DNS is in trouble', async () => {
    const rig = await makeRig(ALLOW_ANY);
    rig.dns.set('other.test', ['93.184.216.34']);
    await rig.call('other.test');
    rig.dns.set('other.test', ['93.184.216.35']);
    rig.context.time.advance(30_000);
    expect((await rig.call('other.test')).to, 'not waiting').to.equal('93.184.216.34:80');
    await new Promise((resolve) => setImmediate(resolve));
    expect((await rig.call('other.test')).to).to.equal('93.184.216.35:80');
    expect(rig.retired.map(({ key }) => key)).to.deep.equal(['93.184.216.34:80']);
    rig.dns.delete('other.test');
    rig.context.time.advance(30_000);
    await rig.call('other.test');
    await new Promise((resolve) => setImmediate(resolve));
    expect((await rig.call('other.test')).to).to.equal('93.184.216.35:80');
  });

  it('costs no memory for ever: hosts that nobody calls are forgotten, and there are not too many', async () => {
    const rig = await makeRig({ 'mesher.yaml': 'mesher.egress: {policy: allow_any, maxHosts: 2}\n' });
    for (const name of ['a.test', 'b.test', 'c.test', 'd.test']) rig.dns.set(name, ['93.184.216.34']);
    const first = await rig.call('a.test');
    await rig.call('b.test');
    const { to } = await rig.call('c.test');
    expect(codeOf(to)).to.equal('MESH_ERR_OVERLOADED');
    rig.outbound.end(first.call, outcome());
    expect((await rig.call('d.test')).to).to.equal('93.184.216.34:80');
    expect(rig.egress.plans.size).to.equal(2);
  });

  it('follows a changed configuration', async () => {
    const rig = await makeRig({});
    rig.dns.set('other.test', ['93.184.216.34']);
    expect(codeOf((await rig.call('other.test')).to)).to.equal('MESH_ERR_NO_ROUTE');
    rig.context.configuration.swap(await meshDocument(ALLOW_ANY));
    expect((await rig.call('other.test')).to).to.equal('93.184.216.34:80');
    rig.context.configuration.swap(await meshDocument(RULES));
    expect(codeOf((await rig.call('other.test')).to)).to.equal('MESH_ERR_EGRESS_DENIED');
  });

  it('is counted by rule and decision', async () => {
    const rig = await makeRig(RULES);
    await rig.call('www.google.com');
    await rig.call('www.google.com:22');
    await rig.call('gone.example.com');
    await rig.call('other.test');
    const family = rig.context.metrics.families().find(({ definition }) => definition.name === 'mesher_egress_total');
    const samples = [...(family as SmallFamily).slices()].flat();
    expect(samples.map(({ labels, value }) => `${labels['rule']} ${labels['decision']} ${value}`)).to.deep.equal([
      'google allowed 1',
      'google denied 1',
      'anything not-found 1',
      ' denied 1',
    ]);
  });
});

describe('the explanation of egress', () => {
  it('names the rule and the addresses, without asking DNS', async () => {
    const rig = await makeRig(RULES);
    const explain = (authority: string): Explanation => {
      const into = new Explanation();
      const [service = '', port] = authority.split(':');
      rig.egress.explain(
        new FakeCall({ authority }),
        port === undefined ? { service } : { service, port: Number(port) },
        into,
      );
      return into;
    };
    expect(explain('www.google.com').steps[0]?.details).to.deep.equal([
      'egressRule.google allows it',
      'DNS has not been asked yet; a call would ask it',
    ]);
    await rig.call('www.google.com');
    const known = explain('www.google.com');
    expect(known.steps[0]?.decision).to.equal('www.google.com:8080 outside the mesh');
    expect(known.steps[0]?.details[1]).to.equal('DNS: 142.250.1.1|8080');
    expect(explain('www.google.com:22').rejection?.code).to.equal('MESH_ERR_EGRESS_DENIED');
    expect(explain('world').steps).to.deep.equal([]);
    expect(rig.asked).to.have.length(1);
  });
});

describe('egress rules that cannot be meant', () => {
  for (const [hosts, message] of [
    ['["*"]', "'*' alone would allow every host"],
    ['["a.*.com"]', "'a.*.com' is no host name"],
    ['[]', 'is required but not set'],
  ]) {
    it(`are refused: hosts ${hosts}`, async () => {
      const files = { ...NAMED, 'egress.yaml': `egressRule:\n  a:\n  - hosts: ${hosts}\n    ports: [{port: 80}]\n` };
      const { errors, said } = await loadFiles(files);
      expect(said(errors).join()).to.contain('egress.yaml:3:').and.contain(message);
    });
  }
});
