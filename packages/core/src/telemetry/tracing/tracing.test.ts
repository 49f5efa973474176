import { expect } from 'chai';
import type { Chassis } from '../../chassis.js';
import { Rejection } from '../../errors.js';
import { definePlugin } from '../../plugin/define-plugin.js';
import { chassisRig, type ChassisRig } from '../../testing/chassis-rig.js';
import { FakeCall, type FakeCallFacts } from '../../testing/fake-call.js';
import { failAttempt, outcome, place } from '../../testing/handler-rig.js';
import { httpInstance } from '../../testing/instances.js';
import type { Outcome } from '../../invocation.js';
import type { SpanRecord } from './span-record.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const SAMPLED = { traceparent: `00-${TRACE}-${SPAN}-01` };
const UNSAMPLED = { traceparent: `00-${TRACE}-${SPAN}-00` };

interface Traced extends ChassisRig {
  readonly chassis: Chassis;
  /** Sends and returns what was recorded so far. */
  spans(): Promise<SpanRecord[]>;
}

let open: Traced | undefined;

async function traced(configuration: Record<string, string> = {}): Promise<Traced> {
  const spans: SpanRecord[] = [];
  const exporter = definePlugin({
    kind: 'span-exporter',
    name: 'double',
    create: () => ({
      open: () =>
        Promise.resolve({
          export: (batch: readonly SpanRecord[]) => Promise.resolve(void spans.push(...batch)),
          close: () => Promise.resolve(),
        }),
    }),
  });
  const rig = await chassisRig({
    configuration: { 'tracing.tracer': 'double', ...configuration },
    plugins: [exporter],
    servicePorts: [{ protocol: 'rest', port: 8080 }],
  });
  const chassis = await rig.create();
  // The scripted registry never lists everything.
  void chassis.start();
  rig.discovery.publish('world', [httpInstance('10.0.0.1:80'), httpInstance('10.0.0.2:80')]);
  open = {
    ...rig,
    chassis,
    spans: async () => {
      await rig.time.advanceAsync(3_000);
      return spans;
    },
  };
  return open;
}

async function inbound({ chassis }: Traced, facts: FakeCallFacts = {}): Promise<FakeCall> {
  const call = new FakeCall({ direction: 'inbound', authority: 'orders', ...facts });
  await place(chassis.inbound, call);
  return call;
}

async function outbound({ chassis }: Traced, facts: FakeCallFacts = {}, how: Partial<Outcome> = {}): Promise<FakeCall> {
  const call = new FakeCall(facts);
  await place(chassis.outbound, call);
  chassis.outbound.end(call, outcome(how));
  return call;
}

describe('tracing', () => {
  afterEach(async () => {
    await open?.chassis.close();
    open = undefined;
  });

  it('is no part of the chains while it is off', async () => {
    for (const [key, value] of [
      ['tracing.enabled', 'false'],
      ['tracing.tracer', ''],
    ] as const) {
      const rig = await traced({ [key]: value });
      const call = await outbound(rig);
      expect(call.trace).to.equal(undefined);
      expect(call.policies?.map(({ name }) => name)).to.not.include('tracing-consumer');
      expect(call.sent('traceparent')).to.deep.equal([]);
      await rig.chassis.close();
    }
  });

  it('links an outbound call to the inbound one by the request id alone', async () => {
    const rig = await traced();
    const arrived = await inbound(rig, { path: '/users/17?secret=1', headers: { 'x-request-id': 'r1', ...SAMPLED } });
    const [toApp = ''] = arrived.sent('traceparent');
    const left = await outbound(rig, { path: '/v1/2', headers: { 'x-request-id': 'r1' } });
    rig.chassis.inbound.end(arrived, outcome({ durationMs: 9 }));
    const [client, server] = await rig.spans();
    expect(server).to.include({ traceId: TRACE, parentSpanId: SPAN, kind: 'server', name: 'GET /users/{id}' });
    expect(client).to.include({ traceId: TRACE, kind: 'client', name: 'GET world/v1/{id}' });
    expect(client?.parentSpanId).to.equal(server?.spanId);
    expect(toApp).to.equal(`00-${TRACE}-${server?.spanId}-01`);
    expect(left.sent('traceparent')).to.deep.equal([`00-${TRACE}-${client?.spanId}-01`]);
    expect(server?.durationMs).to.equal(9);
    expect(server?.startMs).to.equal(rig.time.wallTime() - rig.time.now());
    expect(JSON.stringify(server?.tags)).to.not.contain('secret');
  });

  it('is named by the host of the request where that is no known service, which is all that netramesh knows', async () => {
    const rig = await traced();
    const { observation } = rig.chassis;
    const hosts = ['Gone.Example:8080', `${'a'.repeat(300)}.example`];
    for (const authority of hosts) {
      const call = new FakeCall({ authority, path: '/v1/2' });
      observation.begin(call);
      observation.end(call, outcome());
    }
    const [named, long] = await rig.spans();
    expect(named?.name).to.equal('GET gone.example:8080/v1/{id}');
    expect(named?.tags).to.not.have.property('peer.service');
    expect(long?.name, 'longer than a host can be').to.equal('GET /v1/{id}');
  });

  it('shows calls that are refused ahead of the chain, once, in the trace of the caller', async () => {
    const rig = await traced();
    const unknown = new FakeCall({ authority: 'nowhere', path: '/v1/2', headers: SAMPLED });
    unknown.destination = { service: '' };
    const verdict = await place(rig.chassis.outbound, unknown);
    expect(verdict).to.be.an.instanceof(Rejection).with.property('code', 'MESH_ERR_NO_ROUTE');
    rig.chassis.outbound.end(unknown, outcome({ status: 404, code: 'MESH_ERR_NO_ROUTE' }));
    const spans = await rig.spans();
    expect(spans).to.have.length(1);
    expect(spans[0]).to.include({ traceId: TRACE, parentSpanId: SPAN, kind: 'client', error: undefined });
    expect(spans[0]?.tags).to.include({ 'http.status_code': 404, 'mesher.error': 'MESH_ERR_NO_ROUTE' });
  });

  it('finds the id that was given to a request without one, as the application got it', async () => {
    const rig = await traced();
    const arrived = await inbound(rig);
    const [id = ''] = arrived.sent('x-request-id');
    await outbound(rig, { headers: { 'x-request-id': id } });
    rig.chassis.inbound.end(arrived, outcome());
    const [client, server] = await rig.spans();
    expect(client?.parentSpanId).to.equal(server?.spanId);
    expect(server?.parentSpanId).to.equal(undefined);
  });

  it('forgets a request id some time after its call', async () => {
    const rig = await traced({ 'tracing.correlation.expiration': '1s', 'tracing.correlation.maxContexts': '100' });
    const arrived = await inbound(rig, { headers: { 'x-request-id': 'r1' } });
    rig.time.advance(60_000);
    await outbound(rig, { headers: { 'x-request-id': 'r1' }, startedAt: rig.time.now() });
    rig.chassis.inbound.end(arrived, outcome({ durationMs: 60_000 }));
    await outbound(rig, { headers: { 'x-request-id': 'r1' }, startedAt: rig.time.now() + 1_500 });
    const [linked, server, alone] = await rig.spans();
    expect(linked?.traceId).to.equal(server?.traceId);
    expect(alone?.traceId).to.not.equal(server?.traceId);
  });

  it('prefers a context that the application sends to what its request id says', async () => {
    const rig = await traced();
    await inbound(rig, { headers: { 'x-request-id': 'r1' } });
    await outbound(rig, { headers: { 'x-request-id': 'r1', 'uber-trace-id': `${TRACE}:${SPAN}:0:1` } });
    const [client] = await rig.spans();
    expect(client).to.include({ traceId: TRACE, parentSpanId: SPAN });
  });

  it('gives outbound calls the baggage of their inbound call, unless they have their own or it is too much', async () => {
    const rig = await traced({ 'tracing.correlation.maxBaggage': '60B' });
    const baggage = { baggage: 'tenant=a', 'uberctx-user': 'ann', 'uberctx-plan': 'x' };
    await inbound(rig, { headers: { 'x-request-id': 'r1', ...baggage } });
    const bare = await outbound(rig, { headers: { 'x-request-id': 'r1' } });
    const own = await outbound(rig, { headers: { 'x-request-id': 'r1', baggage: 'tenant=b' } });
    const stranger = await outbound(rig, { headers: { 'x-request-id': 'r2' } });
    const fieldsOf = (call: FakeCall): string[] =>
      ['baggage', 'uberctx-user', 'uberctx-plan'].map((name) => call.sent(name).join());
    expect(fieldsOf(bare)).to.deep.equal(['tenant=a', 'ann', 'x']);
    expect(fieldsOf(own)).to.deep.equal(['tenant=b', 'ann', 'x']);
    expect(fieldsOf(stranger)).to.deep.equal(['', '', '']);
    await inbound(rig, { headers: { 'x-request-id': 'r3', ...baggage, 'uberctx-user': 'a'.repeat(60) } });
    expect(fieldsOf(await outbound(rig, { headers: { 'x-request-id': 'r3' } }))).to.deep.equal(['tenant=a', '', '']);
  });

  it('records nothing that the caller does not sample, and passes its context on as it came', async () => {
    const rig = await traced();
    const arrived = await inbound(rig, { headers: { 'x-request-id': 'r1', ...UNSAMPLED, tracestate: 'a=1' } });
    expect(arrived.sent('traceparent')).to.deep.equal([UNSAMPLED.traceparent]);
    const left = await outbound(rig, { headers: { 'x-request-id': 'r1' } });
    rig.chassis.inbound.end(arrived, outcome());
    expect(left.sent('traceparent')).to.deep.equal([UNSAMPLED.traceparent]);
    expect(left.sent('tracestate')).to.deep.equal(['a=1']);
    expect(await rig.spans()).to.deep.equal([]);
  });

  it('tells the next hop that a trace which begins here is not recorded', async () => {
    const rig = await traced({ 'tracing.samplingRate': '0' });
    const [field] = (await outbound(rig)).sent('traceparent');
    expect(field).to.match(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    expect(await rig.spans()).to.deep.equal([]);
    await outbound(rig, { headers: SAMPLED });
    await outbound(rig, { headers: { 'jaeger-debug-id': 'ticket-7' } });
    const [told, debug] = await rig.spans();
    expect(told?.traceId).to.equal(TRACE);
    expect(debug?.tags['jaeger-debug-id']).to.equal('ticket-7');
  });

  it('asks its own sampler about every call when the decision of callers does not count', async () => {
    const rig = await traced({ 'tracing.sampler.type': 'const', 'tracing.sampler.parentBased': 'false' });
    await outbound(rig, { headers: UNSAMPLED });
    expect((await rig.spans())[0]).to.include({ traceId: TRACE, parentSpanId: SPAN });
  });

  it('shows each attempt of a call that took several', async () => {
    const rig = await traced({ 'cse.loadbalance.retryEnabled': 'true', 'cse.loadbalance.retryOnNext': '1' });
    const call = new FakeCall();
    await place(rig.chassis.outbound, call);
    rig.time.advance(5);
    const again = failAttempt(rig.chassis.outbound, call);
    await rig.time.advanceAsync(1_000);
    await again;
    rig.chassis.outbound.end(call, outcome({ durationMs: 1_015 }));
    const [span] = await rig.spans();
    expect(span?.events.map(({ tags: { attempt, result } }) => [attempt, result])).to.deep.equal([
      [1, 'MESH_ERR_CONNECT'],
      [2, '200'],
    ]);
    expect(span?.tags['http.request.resend_count']).to.equal(1);
    expect(span?.tags['network.peer.address']).to.equal(call.endpoint?.key);
  });

  it('calls failed what the service failed at, and what got no answer in time', async () => {
    const rig = await traced();
    const grpc = { protocol: 'grpc', path: '/a.B/C' } as const;
    await outbound(rig, {}, { status: 503 });
    await outbound(rig, {}, { status: 404 });
    await outbound(rig, {}, { status: 504, code: 'MESH_ERR_TIMEOUT' });
    await outbound(rig, {}, { status: 0, aborted: true });
    rig.discovery.publish('g', [httpInstance('10.0.0.3:80')]);
    const call = await inbound(rig, grpc);
    rig.chassis.inbound.end(call, outcome({ grpcStatus: 5 }));
    const failing = await inbound(rig, grpc);
    rig.chassis.inbound.end(failing, outcome({ grpcStatus: 13 }));
    const spans = await rig.spans();
    expect(spans.map(({ error }) => error)).to.deep.equal([
      ...['503', undefined, 'MESH_ERR_TIMEOUT', undefined],
      ...[undefined, 'INTERNAL'],
    ]);
    expect(spans[2]?.tags).to.include({ timeout: true, error: true, 'http.status_code': 504 });
    expect(spans[5]?.tags).to.include({ 'rpc.service': 'a.B', 'rpc.method': 'C', 'rpc.grpc.status_code': 13 });
  });

  it('makes tags of headers and cookies, for every span and not for first ones only', async () => {
    const rig = await traced({ 'tracing.headerTags.X-User': 'user', 'tracing.cookieTags.sid': 'session' });
    await outbound(rig, { headers: { ...SAMPLED, 'x-user': 'ann', cookie: 'a=b; sid=7; c=d' } });
    expect((await rig.spans())[0]?.tags).to.include({ user: 'ann', session: '7', 'http.method': 'GET' });
    // A comma may stand in a cookie, and is also what two fields of cookies are joined by.
    for (const cookie of ['a=b, sid=7,8, 9; c=d', 'sid=7,8, 9, c=d']) {
      await outbound(rig, { headers: { ...SAMPLED, cookie } });
      expect((await rig.spans()).at(-1)?.tags['session'], cookie).to.equal('7,8, 9');
    }
  });

  it('leaves ignored paths and, unless asked, connections alone', async () => {
    const rig = await traced({ 'tracing.ignoredPaths': '/health' });
    const call = await inbound(rig, { path: '/health', headers: SAMPLED });
    rig.chassis.inbound.end(call, outcome());
    expect(call.sent('traceparent')).to.deep.equal([SAMPLED.traceparent]);
    await outbound(rig, { protocol: 'tcp', destination: { service: 'world' } });
    expect(await rig.spans()).to.deep.equal([]);
    await rig.chassis.close();
    const withTcp = await traced({ 'tracing.tcp': 'true' });
    await outbound(withTcp, { protocol: 'tcp' }, { status: 0, aborted: true, superseded: true });
    await outbound(withTcp, { protocol: 'tcp', destination: { service: 'world' } }, { status: 0 });
    expect(await withTcp.spans(), 'one that held requests has none').to.have.length(1);
    expect((await withTcp.spans())[0]).to.include({ name: 'tcp world', error: undefined });
  });

  it('refuses a tracer that does not exist, naming the known ones', async () => {
    const error = await traced({ 'tracing.tracer': 'jaeger' }).catch((reason: unknown) => reason);
    expect(String(error)).to.contain("no span-exporter 'jaeger'; known are double");
  });
});
