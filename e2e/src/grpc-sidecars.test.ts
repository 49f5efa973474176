import { expect } from 'chai';
import { status as Code } from '@grpc/grpc-js';
import type { App } from './support/app.js';
import { GrpcApp } from './support/grpc/grpc-app.js';
import { ECHO_METHODS } from './support/grpc/echo-service.js';
import { GrpcClient, type Fields, type GrpcAnswer } from './support/grpc/grpc-client.js';
import { useScene, useSharedScene, type Scene } from './support/scene.js';
import type { Sidecar } from './support/sidecar.js';
import { H2cApp } from './support/wire-apps.js';

/** So slow that nothing comes back while a test runs. */
const HARDLY_EVER = 0.001;

/** Nobody listens there. */
const NOBODY = '127.0.0.1 1';

interface Mesh {
  readonly main: GrpcApp;
  readonly admin: GrpcApp;
  /** Speaks HTTP/1 only. */
  readonly web: App;
  readonly provider: Sidecar;
  readonly caller: Sidecar;
  /** A listener of the caller for the service, whatever its clients name. */
  readonly fixed: string;
}

/** A service with two ports for gRPC behind its sidecar, and an application with a sidecar that only calls. */
async function build(scene: Scene): Promise<Mesh> {
  const main = await GrpcApp.start(scene, { name: 'main' });
  const admin = await GrpcApp.start(scene, { name: 'admin' });
  const provider = await scene.sidecar({
    ...{ service: 'greeter', grpc: true },
    args: [`--service-ports=grpc:${main.port},grpc-admin:${admin.port}`],
    chassis: {
      'cse.flowcontrol.Provider.qps.limit.greedy': HARDLY_EVER,
      'cse.flowcontrol.Provider.qps.burst.greedy': 1,
    },
  });
  const web = (await scene.service('web')).app;
  for (const service of ['limited', 'slow', 'broken', 'faulty'])
    await scene.write(`disco/${service}`, `127.0.0.1 ${main.port}\n`);
  await scene.write('disco/dead', `${NOBODY}\n`);
  const fixed = `127.0.0.1:${await scene.ports.take()}`;
  const caller = await scene.sidecar({
    ...{ service: 'hello', host: 'none', grpc: true },
    chassis: {
      'cse.flowcontrol.Consumer.qps.limit.limited': HARDLY_EVER,
      'cse.flowcontrol.Consumer.qps.burst.limited': 1,
      'cse.isolation.Consumer.slow.timeoutInMilliseconds': 300,
      'cse.circuitBreaker.Consumer.broken.forceOpen': true,
      'cse.governance.Consumer.faulty.policy.fault.protocols.grpc.abort.grpcStatus': 'DATA_LOSS',
      'cse.governance.Consumer.faulty.policy.fault.protocols.grpc.abort.percent': 100,
      'mesher.egress.policy': 'registry_only',
    },
    mesher: { 'mesher.listeners': [{ listen: fixed, service: 'greeter' }] },
  });
  return { main, admin, web, provider, caller, fixed };
}

describe('a sidecar with servicecomb.protocols.grpc', () => {
  const mesh = useSharedScene(build);
  const clients: GrpcClient[] = [];
  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
  });

  function clientOf(address: string, authority?: string): GrpcClient {
    const client = new GrpcClient(address, authority);
    clients.push(client);
    return client;
  }

  async function say(
    authority: string,
    fields: Fields = {},
    address = mesh().caller.grpcOutbound,
  ): Promise<GrpcAnswer> {
    return await clientOf(address, authority).say('hi', fields);
  }

  /** Who answered, or how it failed. */
  function told({ head, status }: GrpcAnswer): string {
    const by = status.metadata.get('x-mesher-error')[0];
    return status.code === 0 ? String(head?.get('served-by')[0]) : `${Code[status.code]} ${String(by)}`;
  }

  it('is registered with the address of its listener for gRPC, and only with that, if its application speaks nothing else', async () => {
    await say('greeter');
    const view = await mesh().caller.services();
    const [instance] = view.services.find(({ service }) => service === 'greeter')?.instances ?? [];
    expect(instance?.endpoints).to.deep.equal([
      { address: mesh().provider.grpcInbound, protocol: 'grpc', weight: 1, available: true },
    ]);
    const ready = mesh().provider.process.output;
    expect(ready).to.contain(`"registered":{"grpc":"${mesh().provider.grpcInbound}"}`);
  });

  it('takes gRPC at its other listeners, too: that for HTTP, and those of mesher.listeners', async () => {
    expect(told(await say('greeter', {}, mesh().caller.outbound))).to.equal('main');
    expect(told(await say('whatever', {}, mesh().fixed))).to.equal('main');
  });

  it('leads to the local port that the caller names in :authority, or by X-Forwarded-Port', async () => {
    const { admin, main } = mesh();
    expect(told(await say('greeter'))).to.equal('main');
    expect(told(await say(`greeter:${admin.port}`))).to.equal('admin');
    expect(told(await say(`greeter:${main.port}`))).to.equal('main');
    expect(told(await say('greeter:1')), 'a port that is not declared').to.equal('main');
    expect(told(await say('greeter', { 'x-forwarded-port': 'admin' }, mesh().provider.grpcInbound))).to.equal('admin');
  });

  it('tells the called sidecar who calls', async () => {
    const count = (): Promise<number> =>
      mesh().provider.metric('mesher_inbound_requests_by_source_total', { source: 'hello', by: 'header' });
    const before = await count();
    await say('greeter');
    expect((await count()) - before).to.equal(1);
  });

  it('counts calls by gRPC status on both sides, and shows connections, streams and pools of HTTP/2', async () => {
    const { caller, provider } = mesh();
    const counts = (status: string): Promise<number[]> =>
      Promise.all(
        [caller, provider].map((sidecar) =>
          sidecar.metric('mesher_grpc_requests_total', { service: 'greeter', grpc_status: status }),
        ),
      );
    const before = await counts('NOT_FOUND');
    await say('greeter', { fail: '5' });
    expect(await counts('NOT_FOUND')).to.deep.equal(before.map((count) => count + 1));
    expect(await caller.metric('mesher_http2_connections_open', { side: 'upstream', state: 'open' })).to.be.at.least(1);
    expect(await provider.metric('mesher_http2_connections_open', { side: 'downstream' })).to.be.at.least(1);
    const pools = JSON.parse((await caller.admin('/pools')).body) as { pools: object[] };
    expect(pools.pools).to.deep.include.members([
      {
        ...{ address: provider.grpcInbound, service: 'greeter', protocol: 'http2' },
        ...{ connections: 1, idle: 1, draining: 0, calls: 0, waiting: 0 },
      },
    ]);
  });

  it('explains a call of gRPC: where it goes, and over what', async () => {
    const { caller, provider } = mesh();
    const body = JSON.stringify({ url: 'http://greeter/mesher.test.Echo/Say', protocol: 'grpc', method: 'POST' });
    const answer = await caller.admin('/v1/mesher/explain', {
      ...{ method: 'POST', body },
      headers: { 'content-type': 'application/json' },
    });
    const told = answer.body.split('\n').find((line) => line.includes(`+ ${provider.grpcInbound}: 100.0 %`));
    expect(told).to.contain(', over HTTP/2');
  });

  describe('answers with a gRPC status, a detail and x-mesher-error', () => {
    const refusals: readonly (readonly [what: string, service: string, answer: string, detail: RegExp])[] = [
      ['a service that nobody knows', 'nowhere', 'UNIMPLEMENTED MESH_ERR_NO_ROUTE', /nowhere/],
      ['a host outside', 'www.example.com', 'PERMISSION_DENIED MESH_ERR_EGRESS_DENIED', /egress/],
      ['a service that speaks no gRPC', 'web', 'UNAVAILABLE MESH_ERR_NO_INSTANCE', /web is up and speaks grpc/],
      ['an instance that is not there', 'dead', 'UNAVAILABLE MESH_ERR_CONNECT', /ECONNREFUSED/],
      ['an open circuit breaker', 'broken', 'UNAVAILABLE MESH_ERR_BREAKER_OPEN', /open/],
      ['an injected fault', 'faulty', 'DATA_LOSS MESH_ERR_FAULT_INJECTED', /./],
    ];
    for (const [what, service, answer, detail] of refusals) {
      it(what, async () => {
        const refused = await say(service);
        expect(told(refused)).to.equal(answer);
        expect(refused.status.details).to.match(detail);
        expect(refused.head, 'trailers only').to.equal(undefined);
      });
    }

    it('a rate limit, of the caller and of the called', async () => {
      const answers = [await say('limited'), await say('limited')].map(told);
      expect(answers).to.deep.equal(['main', 'RESOURCE_EXHAUSTED MESH_ERR_RATE_LIMITED']);
      const source = { 'x-cse-src-microservice': 'greedy' };
      const inbound = mesh().provider.grpcInbound;
      const provided = [await say('greeter', source, inbound), await say('greeter', source, inbound)].map(told);
      expect(provided).to.deep.equal(['main', 'RESOURCE_EXHAUSTED MESH_ERR_RATE_LIMITED']);
    });

    it('a time that the configuration sets, and the application learns of it', async () => {
      const answer = await clientOf(mesh().caller.grpcOutbound, 'slow').unary(ECHO_METHODS.hold, '');
      expect(told(answer)).to.equal('DEADLINE_EXCEEDED MESH_ERR_TIMEOUT');
      await mesh().main.process.untilPrinted(/cancelled/);
    });

    it('an application without a port for gRPC, asked by a caller that does not go by the registry', async () => {
      const view = await mesh().caller.services();
      const web = view.services.find(({ service }) => service === 'web')?.instances[0]?.endpoints[0]?.address ?? '';
      const answer = await say('web', {}, web);
      expect(told(answer)).to.equal('UNAVAILABLE MESH_ERR_NO_LOCAL_PORT');
      expect(answer.status.details).to.contain('local port for grpc');
      const { port } = mesh().web;
      const named = await say('web', { 'x-forwarded-port': String(port) }, web);
      expect(told(named)).to.equal('UNAVAILABLE MESH_ERR_NO_LOCAL_PORT');
      expect(named.status.details).to.contain(`--service-ports=grpc:${port}`);
    });
  });
});

describe('the resolver for gRPC that mesher.yaml chooses', () => {
  const mesh = useSharedScene(async (scene) => {
    const app = await GrpcApp.start(scene, { name: 'main' });
    const provider = await scene.sidecar({ service: 'greeter', grpcApp: app });
    const caller = (grpc: string): Promise<Sidecar> =>
      scene.sidecar({
        ...{ service: `by-${grpc}`, host: 'none', grpc: true },
        mesher: { 'plugin.destinationResolver.grpc': grpc, 'plugin.destinationResolver.http': 'host' },
      });
    return { provider, byIp: await caller('ip'), byHost: await caller('host'), byAuthority: await caller('authority') };
  });

  async function answerOf(caller: Sidecar, authority: string): Promise<string> {
    const client = new GrpcClient(caller.grpcOutbound, authority);
    const { head, status } = await client.say('hi');
    client.close();
    return status.code === 0 ? String(head?.get('served-by')[0]) : String(status.metadata.get('x-mesher-error')[0]);
  }

  it('ip maps the address of a target to the service that is registered there, and knows no names', async () => {
    const { byIp, provider } = mesh();
    expect(await answerOf(byIp, provider.grpcInbound)).to.equal('main');
    expect(await answerOf(byIp, provider.grpcInbound.split(':')[0] ?? '')).to.equal('main');
    expect(await answerOf(byIp, 'greeter')).to.equal('MESH_ERR_NO_ROUTE');
    expect(await answerOf(byIp, '127.0.0.99:1')).to.equal('MESH_ERR_NO_ROUTE');
  });

  for (const name of ['byHost', 'byAuthority'] as const) {
    it(`${name === 'byHost' ? 'host' : 'authority'} takes the name in :authority, and knows no addresses`, async () => {
      const { provider, [name]: caller } = mesh();
      expect(await answerOf(caller, 'greeter')).to.equal('main');
      expect(await answerOf(caller, 'greeter:50051')).to.equal('main');
      expect(await answerOf(caller, provider.grpcInbound)).to.equal('MESH_ERR_NO_ROUTE');
    });
  }
});

describe('beside calls of gRPC to services', () => {
  const scene = useScene();

  it('calls of gRPC leave the mesh where a rule of egress names the host and a port for GRPC', async () => {
    const app = await GrpcApp.start(scene(), { name: 'outside' });
    const caller = await scene().sidecar({
      ...{ service: 'hello', host: 'none', grpc: true },
      mesher: { 'egressRule.outside': `- hosts: [127.0.0.1]\n  ports: [{port: ${app.port}, protocol: GRPC}]` },
    });
    const client = new GrpcClient(caller.grpcOutbound, app.address);
    const { head, status } = await client.say('hi');
    client.close();
    expect([status.code, head?.get('served-by')]).to.deep.equal([0, ['outside']]);
  });

  it('a sidecar with a listener for inbound calls, but none for what its application speaks, says that nothing is registered', async () => {
    const sidecar = await scene().sidecar({
      ...{ service: 'lost', grpc: true, args: ['--service-ports=rest:8080'] },
      chassis: { 'servicecomb.protocols.http.listenAddress': `127.0.0.1:${await scene().ports.take()}` },
    });
    expect(sidecar.process.output).to.contain('nothing is registered').and.to.contain('"rest:8080"');
  });

  it('a sidecar that has an application and no address for others says which key is missing', async () => {
    const sidecar = await scene().sidecar({ service: 'alone', host: 'none', args: ['--service-ports=rest:8080'] });
    expect(sidecar.process.output).to.contain('nobody can call the application').and.to.contain('http.listenAddress');
  });

  it('calls of HTTP/1 reach an application that speaks HTTP/2 only, by whichever address it is registered', async () => {
    const app = await H2cApp.start('over http/2');
    const args = (name: string): string[] => [`--service-ports=${name}:${app.port}`];
    await scene().sidecar({ service: 'modern', args: args('h2c') });
    await scene().sidecar({ service: 'rpc', grpc: true, args: args('grpc') });
    await scene().write('disco/written', `127.0.0.1 ${app.port} protocol=h2c\n`);
    const caller = await scene().sidecar({ service: 'hello', host: 'none' });
    for (const service of ['modern', 'rpc', 'written']) {
      const { status, body } = await caller.call(`http://${service}/`);
      expect([status, body], service).to.deep.equal([200, 'over http/2']);
    }
    const registered = await caller.services();
    const protocols = ['modern', 'rpc'].map((name) =>
      registered.services
        .find(({ service }) => service === name)
        ?.instances.flatMap(({ endpoints }) => endpoints.map(({ protocol }) => protocol)),
    );
    expect(protocols).to.deep.equal([['rest', 'grpc'], ['grpc']]);
    await app.stop();
  });
});
