import { expect } from 'chai';
import { Rejection } from '../errors.js';
import type { Endpoint } from '../registry/endpoint.js';
import { COUNTED_CODES, UNKNOWN_SERVICE, type CallMetrics } from '../telemetry/call-metrics.js';
import { FakeCall } from '../testing/fake-call.js';
import { failAttempt, handlerRig, inFlight, outcome, place } from '../testing/handler-rig.js';
import { httpInstance, instanceAt } from '../testing/instances.js';

function retries(metrics: CallMetrics, service: string): number {
  const slot = metrics.slotFor('outbound', service);
  return COUNTED_CODES.reduce((sum, _, index) => sum + metrics.retriesOf(slot, index), 0);
}

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

describe('an outbound attempt that failed', () => {
  const publish = (...addresses: string[]): ReturnType<typeof handlerRig> => {
    const rig = handlerRig();
    rig.discovery.publish(
      'world',
      addresses.map((address) => httpInstance(address)),
    );
    return rig;
  };

  it('to connect is repeated at another instance, for any method, and counted as a retry', async () => {
    const { outbound, metrics } = publish('10.0.0.1:80', '10.0.0.2:80');
    const call = new FakeCall({ method: 'POST', idempotent: false });
    const first = await place(outbound, call);
    const second = await failAttempt(outbound, call);
    expect(second).to.not.equal(first);
    expect(retries(metrics, 'world')).to.equal(1);
  });

  it('at every instance ends with the last failure and the number of attempts', async () => {
    const { outbound } = publish('10.0.0.1:80', '10.0.0.2:80');
    const call = new FakeCall();
    await place(outbound, call);
    await failAttempt(outbound, call);
    const verdict = (await failAttempt(outbound, call)) as Rejection;
    expect(verdict.code).to.equal('MESH_ERR_CONNECT');
    expect(verdict.message).to.match(/^connect ECONNREFUSED 10\.0\.0\.[12]:80 \(2 attempts\)$/);
  });

  it('at the only instance is not repeated there', async () => {
    const { outbound } = publish('10.0.0.1:80');
    const call = new FakeCall();
    await place(outbound, call);
    expect(((await failAttempt(outbound, call)) as Rejection).code).to.equal('MESH_ERR_CONNECT');
  });

  it('is not repeated beyond maxAttempts, however many instances there are', async () => {
    const addresses = Array.from({ length: 20 }, (_, i) => `10.0.0.${i + 1}:80`);
    const { outbound } = publish(...addresses);
    const call = new FakeCall();
    const seen = new Set([await place(outbound, call)]);
    seen.add(await failAttempt(outbound, call));
    seen.add(await failAttempt(outbound, call));
    expect(seen.size).to.equal(3);
    expect(((await failAttempt(outbound, call)) as Rejection).message).to.contain('(3 attempts)');
  });

  it('on a pooled connection that was dead may be repeated at the same instance, also the only one', async () => {
    const { outbound } = publish('10.0.0.1:80');
    const call = new FakeCall();
    const endpoint = await place(outbound, call);
    const reset = { code: 'MESH_ERR_UPSTREAM_RESET', sent: true, reusedConnection: true } as const;
    expect(await failAttempt(outbound, call, reset)).to.equal(endpoint);
  });

  it('before the first byte of an answer is repeated elsewhere if the method is idempotent, else not', async () => {
    const { outbound } = publish('10.0.0.1:80', '10.0.0.2:80');
    const reset = { code: 'MESH_ERR_UPSTREAM_RESET', sent: true } as const;
    const get = new FakeCall();
    const first = await place(outbound, get);
    const second = await failAttempt(outbound, get, reset);
    expect(second).to.not.equal(first);
    expect(second).to.not.be.an.instanceof(Rejection);
    const post = new FakeCall({ method: 'POST', idempotent: false });
    await place(outbound, post);
    expect(((await failAttempt(outbound, post, reset)) as Rejection).code).to.equal('MESH_ERR_UPSTREAM_RESET');
  });

  it('is not repeated when a part of the body is gone', async () => {
    const { outbound } = publish('10.0.0.1:80', '10.0.0.2:80');
    const call = new FakeCall();
    await place(outbound, call);
    call.bodyReplayable = false;
    expect(await failAttempt(outbound, call)).to.be.an.instanceof(Rejection);
  });

  it('to connect lets the endpoint rest: the next calls go elsewhere until it was reached again', async () => {
    const { outbound } = publish('10.0.0.1:80', '10.0.0.2:80');
    const call = new FakeCall();
    const dead = (await place(outbound, call)) as Endpoint;
    const alive = await failAttempt(outbound, call);
    for (let i = 0; i < 6; i++) expect(await place(outbound, new FakeCall())).to.equal(alive);
    outbound.connected(dead);
    const next = [await place(outbound, new FakeCall()), await place(outbound, new FakeCall())];
    expect(next).to.have.members([dead, alive]);
  });

  it('is forgotten once a call on a pooled connection of the endpoint succeeds', async () => {
    const { outbound, time } = publish('10.0.0.1:80', '10.0.0.2:80');
    const call = new FakeCall();
    const tired = (await place(outbound, call)) as Endpoint;
    await failAttempt(outbound, call);
    time.advance(100);
    const probe = new FakeCall();
    expect(await place(outbound, probe)).to.equal(tired);
    outbound.end(probe, outcome());
    expect([tired.connectFailures, tired.restingUntil]).to.deep.equal([0, 0]);
  });

  it('is not forgotten when the call that was let through fails or is given up', async () => {
    const { outbound, time } = publish('10.0.0.1:80', '10.0.0.2:80');
    const call = new FakeCall();
    const tired = (await place(outbound, call)) as Endpoint;
    await failAttempt(outbound, call);
    for (const end of [outcome({ aborted: true }), outcome({ status: 502, code: 'MESH_ERR_CONNECT' })]) {
      time.advance(100);
      const probe = new FakeCall();
      expect(await place(outbound, probe)).to.equal(tired);
      outbound.end(probe, end);
      expect(tired.connectFailures).to.equal(1);
    }
  });

  it('goes to a resting instance if all rest: nothing better is there', async () => {
    const { outbound } = publish('10.0.0.1:80', '10.0.0.2:80');
    const call = new FakeCall();
    await place(outbound, call);
    await failAttempt(outbound, call);
    await failAttempt(outbound, call);
    const next = new FakeCall();
    const first = await place(outbound, next);
    expect(first).to.not.be.an.instanceof(Rejection);
    expect(await failAttempt(outbound, next)).to.not.be.an.instanceof(Rejection);
  });
});
