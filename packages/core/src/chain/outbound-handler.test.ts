import { expect } from 'chai';
import { Rejection } from '../errors.js';
import type { Endpoint } from '../registry/endpoint.js';
import { UNKNOWN_SERVICE } from '../telemetry/call-metrics.js';
import { FakeCall } from '../testing/fake-call.js';
import { handlerRig, inFlight, outcome, place } from '../testing/handler-rig.js';
import { httpInstance, instanceAt } from '../testing/instances.js';

describe('an outbound call', () => {
  it('goes to an instance of the service that it names', async () => {
    const { outbound, discovery } = handlerRig();
    discovery.publish('world', [httpInstance('10.0.0.1:30101')]);
    const call = new FakeCall({ authority: 'world' });
    expect(((await place(outbound, call)) as Endpoint).key).to.equal('10.0.0.1:30101');
    expect(call.destination).to.deep.equal({ service: 'world' });
    outbound.end(call, outcome());
  });

  it('is decided about without a promise once the service is known', async () => {
    const { outbound, discovery } = handlerRig();
    discovery.publish('world', [httpInstance('10.0.0.1:30101')]);
    await place(outbound, new FakeCall());
    expect(outbound.begin(new FakeCall())).to.not.be.an.instanceof(Promise);
  });

  it('carries the name of the caller, an id, a mark against loops, and the port of its URL', async () => {
    const { outbound, discovery } = handlerRig();
    discovery.publish('world', [httpInstance('10.0.0.1:30101')]);
    const call = new FakeCall({ authority: 'world:8083', headers: { 'x-forwarded-port': '443' } });
    await place(outbound, call);
    expect(call.sent('x-forwarded-port')).to.deep.equal(['8083']);
    expect(call.sent('x-cse-src-microservice')).to.deep.equal(['orders']);
    expect(call.sent('x-request-id')).to.deep.equal([call.requestId]);
    expect(call.sent('x-mesher-hop')).to.deep.equal(['self.o1']);
  });

  it('leaves the port field alone when its URL has no port', async () => {
    const { outbound, discovery } = handlerRig();
    discovery.publish('world', [httpInstance('10.0.0.1:30101')]);
    const call = new FakeCall({ headers: { 'x-forwarded-port': '8083' } });
    await place(outbound, call);
    expect(call.sent('x-forwarded-port')).to.deep.equal(['8083']);
  });

  it('with a destination that its listener gave is not resolved', async () => {
    const { outbound, discovery } = handlerRig({ resolver: { resolve: () => expect.fail('it has a destination') } });
    discovery.publish('database', [instanceAt({ tcp: '10.0.0.1:5432' })]);
    const call = new FakeCall({ protocol: 'tcp', destination: { service: 'database' } });
    expect(((await place(outbound, call)) as Endpoint).key).to.equal('10.0.0.1:5432');
  });

  it('is counted for its service while it is under way, and afterwards no longer', async () => {
    const { outbound, discovery, metrics } = handlerRig();
    discovery.publish('world', [httpInstance('10.0.0.1:30101')]);
    const call = new FakeCall();
    await place(outbound, call);
    expect(inFlight(metrics, 'outbound')).to.deep.equal({ world: 1 });
    expect(call.plan?.calls).to.equal(1);
    outbound.end(call, outcome());
    expect(inFlight(metrics, 'outbound')).to.deep.equal({ world: 0 });
    expect(call.plan?.calls).to.equal(0);
    expect(metrics.requestsOf(metrics.slotFor('outbound', 'world'), 2)).to.equal(1);
  });

  it('keeps its service from being given up until ten minutes after its end', async () => {
    const { outbound, discovery, directory, time } = handlerRig();
    discovery.publish('world', [httpInstance('10.0.0.1:30101')]);
    const call = new FakeCall();
    await place(outbound, call);
    await time.advanceAsync(3_600_000, 30_000);
    expect(directory.plan('world')).to.equal(call.plan);
    outbound.end(call, outcome({ durationMs: time.now() }));
    expect(call.plan?.lastUsedAt).to.equal(time.now());
    await time.advanceAsync(570_000, 30_000);
    expect(directory.plans).to.have.lengthOf(1);
    await time.advanceAsync(30_000);
    expect(directory.plans).to.have.lengthOf(0);
  });
});

describe('an outbound call that goes nowhere', () => {
  const refused = async (
    prepare: (rig: ReturnType<typeof handlerRig>) => void,
    call: FakeCall,
  ): Promise<{ rejection: Rejection; counted: Record<string, number>; requestId: string | undefined }> => {
    const rig = handlerRig();
    prepare(rig);
    const rejection = (await place(rig.outbound, call)) as Rejection;
    const counted = inFlight(rig.metrics, 'outbound');
    rig.outbound.end(call, outcome({ status: rejection.status, code: rejection.code }));
    for (const left of Object.values(inFlight(rig.metrics, 'outbound'))) expect(left).to.equal(0);
    return { rejection, counted, requestId: call.requestId };
  };

  it('because no such service is registered: 404, counted as unknown', async () => {
    const { rejection, counted, requestId } = await refused(
      ({ discovery }) => discovery.publishAbsent('wrold'),
      new FakeCall({ authority: 'wrold' }),
    );
    expect([rejection.status, rejection.message]).to.deep.equal([404, 'No service named wrold is registered']);
    expect(counted).to.deep.equal({ [UNKNOWN_SERVICE]: 1 });
    expect(requestId).to.be.a('string');
  });

  it('because no instance is up: 503, counted for the service', async () => {
    const { rejection, counted } = await refused(
      ({ discovery }) => discovery.publish('world', [httpInstance('10.0.0.1:80', { status: 'DOWN' })]),
      new FakeCall(),
    );
    expect([rejection.code, rejection.retryAfterSeconds]).to.deep.equal(['MESH_ERR_NO_INSTANCE', 1]);
    expect(counted).to.deep.equal({ world: 1 });
  });

  it('because no instance speaks its protocol: 503', async () => {
    const { rejection } = await refused(
      ({ discovery }) => discovery.publish('world', [httpInstance('10.0.0.1:80')]),
      new FakeCall({ protocol: 'grpc' }),
    );
    expect(rejection.message).to.equal('No instance of world is up and speaks grpc');
    expect(rejection.hint).to.contain('--service-ports=grpc:PORT');
    const none = await refused(
      ({ discovery }) => discovery.publish('world', [httpInstance('10.0.0.1:80', { status: 'DOWN' })]),
      new FakeCall({ protocol: 'grpc' }),
    );
    expect(none.rejection.hint).to.contain('Start an instance');
  });

  it('because its host names no service: 404, with what to do', async () => {
    const rig = handlerRig({ resolver: { resolve: () => undefined } });
    const rejection = (await place(rig.outbound, new FakeCall({ authority: '127.0.0.1:30101' }))) as Rejection;
    expect([rejection.code, rejection.message]).to.deep.equal([
      'MESH_ERR_NO_ROUTE',
      'The host 127.0.0.1:30101 names no service',
    ]);
    expect(rejection.hint).to.contain('http://SERVICE/');
    expect(inFlight(rig.metrics, 'outbound')).to.deep.equal({ [UNKNOWN_SERVICE]: 1 });
    const call = new FakeCall({ authority: '127.0.0.1:40101', protocol: 'grpc' });
    expect(((await place(rig.outbound, call)) as Rejection).hint)
      .to.contain('authority')
      .and.to.contain('plugin.destinationResolver.grpc: ip');
  });

  it('because it has no host, or is a connection without any: 404', async () => {
    const hostless = await refused(() => {}, new FakeCall({ authority: '', remoteAddress: '10.0.0.7' }));
    expect(hostless.rejection.message).to.equal('Nothing tells which service a http call from 10.0.0.7 is for');
    const tcp = await refused(() => {}, new FakeCall({ authority: '', protocol: 'tcp', remoteAddress: '10.0.0.7' }));
    expect(tcp.rejection.message).to.equal('Nothing tells which service a tcp call from 10.0.0.7 is for');
  });

  it('because the resolver found a service without a name: 404, and nothing is watched', async () => {
    const rig = handlerRig({ resolver: { resolve: () => ({ service: '' }) } });
    expect(((await place(rig.outbound, new FakeCall())) as Rejection).status).to.equal(404);
    expect(rig.directory.plans).to.deep.equal([]);
  });

  it('because it came back to this sidecar: 508, with an id', async () => {
    const { rejection, requestId, counted } = await refused(
      () => {},
      new FakeCall({ headers: { 'x-mesher-hop': 'self.o1' } }),
    );
    expect(rejection.status).to.equal(508);
    expect(requestId).to.be.a('string');
    expect(counted).to.deep.equal({ [UNKNOWN_SERVICE]: 1 });
  });

  it('because too many services are in use: 503 that names the setting', async () => {
    const rig = handlerRig({ directory: { maxServices: 1 } });
    rig.discovery.publish('world', [httpInstance('10.0.0.1:80')]);
    await place(rig.outbound, new FakeCall());
    const rejection = (await place(rig.outbound, new FakeCall({ authority: 'hello' }))) as Rejection;
    expect([rejection.status, rejection.message]).to.deep.equal([
      503,
      'Too many different services are called; raise mesher.directory.maxServices',
    ]);
  });

  it('because a resolver threw: the error reaches the wire, and the end of the call is counted once', async () => {
    const rig = handlerRig({
      resolver: {
        resolve: () => {
          throw new Error('a mistake');
        },
      },
    });
    const call = new FakeCall();
    expect(() => rig.outbound.begin(call)).to.throw('a mistake');
    rig.outbound.end(call, outcome({ status: 500, code: 'MESH_ERR_PLUGIN' }));
    const slot = rig.metrics.slotFor('outbound', UNKNOWN_SERVICE);
    expect([rig.metrics.inFlightOf(slot), rig.metrics.requestsOf(slot, 5)]).to.deep.equal([0, 1]);
  });

  it('because a policy threw: the error reaches the wire, and nothing stays taken', async () => {
    const released: string[] = [];
    const rig = handlerRig({
      policies: [
        { name: 'a', after: () => void released.push('a') },
        {
          name: 'b',
          before: () => {
            throw new Error('a mistake');
          },
          after: () => void released.push('b'),
        },
      ],
    });
    rig.discovery.publish('world', [httpInstance('10.0.0.1:80')]);
    await rig.directory.whenKnown('world');
    const call = new FakeCall();
    expect(() => rig.outbound.begin(call)).to.throw('a mistake');
    rig.outbound.end(call, outcome({ status: 500, code: 'MESH_ERR_PLUGIN' }));
    expect(released).to.deep.equal(['a']);
    expect([inFlight(rig.metrics, 'outbound'), call.plan?.calls]).to.deep.equal([{ world: 0 }, 0]);
  });

  it('because a policy rejects: the rejection, counted for the service', async () => {
    const rejection = new Rejection('MESH_ERR_RATE_LIMITED', 'slow down', 2);
    const rig = handlerRig({ policies: [{ name: 'no', before: () => rejection }] });
    rig.discovery.publish('world', [httpInstance('10.0.0.1:80')]);
    expect(await place(rig.outbound, new FakeCall())).to.equal(rejection);
    expect(inFlight(rig.metrics, 'outbound')).to.deep.equal({ world: 1 });
  });
});
