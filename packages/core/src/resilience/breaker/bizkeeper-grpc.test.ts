import { expect } from 'chai';
import { GRPC_STATUS } from '../../grpc/status.js';
import { Endpoint } from '../../registry/endpoint.js';
import { BREAKER, bizkeeperRig, times } from '../../testing/bizkeeper-rig.js';

const GRPC = { protocol: 'grpc', method: 'POST', path: '/pkg.Greeter/SayHello' } as const;
const OK = { status: 200, grpcStatus: GRPC_STATUS.OK } as const;
const INTERNAL = { status: 200, grpcStatus: GRPC_STATUS.INTERNAL } as const;
const BY_INSTANCE = BREAKER.replace('scope: service', 'scope: instance');

describe('the circuit breaker and gRPC', () => {
  it('waits for the status of its probes, which comes at the end of the answer', async () => {
    const { make, call, begin, end, policy, time } = await bizkeeperRig(`${BREAKER}      halfOpenProbes: 1\n`);
    times(4, () => make(GRPC, INTERNAL));
    time.advance(15_000);
    const probe = call(GRPC);
    expect(begin(probe)).to.equal(undefined);
    policy.answerBegan?.(probe, 200);
    expect(make(GRPC)?.message).to.contain('half-open');
    end(probe, INTERNAL);
    expect(make(GRPC)?.message).to.contain('is open');
  });

  it('knows the status of a probe at once when it is the whole answer', async () => {
    const { make, call, begin, policy, time } = await bizkeeperRig(`${BREAKER}      halfOpenProbes: 1\n`);
    times(4, () => make(GRPC, INTERNAL));
    time.advance(15_000);
    const probe = call(GRPC);
    begin(probe);
    policy.answerBegan?.(probe, 200, GRPC_STATUS.NOT_FOUND);
    expect(make(GRPC)).to.equal(undefined);
  });

  it('closes when its probes are streams that are answered for as long as a probe may keep its place', async () => {
    const { make, call, begin, end, policy, time } = await bizkeeperRig(BREAKER);
    times(4, () => make(GRPC, INTERNAL));
    time.advance(15_000);
    const streams = [call(GRPC), call(GRPC)];
    for (const stream of streams) {
      begin(stream);
      policy.answerBegan?.(stream, 200);
    }
    time.advance(29_999);
    expect(begin(call(GRPC))).to.equal(undefined);
    expect(make(GRPC)?.message).to.contain('half-open');
    time.advance(1);
    times(10, () => expect(make(GRPC, OK)).to.equal(undefined));
    // What becomes of them in the end is no news about the service as it is then.
    for (const stream of streams) end(stream, INTERNAL);
    expect(make(GRPC, OK)).to.equal(undefined);
  });

  it('opens again when such a stream fails before', async () => {
    const { make, call, begin, end, policy, time } = await bizkeeperRig(`${BREAKER}      halfOpenProbes: 1\n`);
    times(4, () => make(GRPC, INTERNAL));
    time.advance(15_000);
    const stream = call(GRPC);
    begin(stream);
    policy.answerBegan?.(stream, 200);
    time.advance(29_000);
    end(stream, { status: 200, code: 'MESH_ERR_UPSTREAM_RESET', durationMs: 29_000 });
    time.advance(2_000);
    expect(make(GRPC)?.message).to.contain('is open');
  });

  it('calls no stream slow for its length, but for the time until its answer begins', async () => {
    const yaml = `${BREAKER}      slowCallDurationInMilliseconds: 100\n      slowCallThresholdPercentage: 50\n`;
    const { make } = await bizkeeperRig(yaml);
    times(10, () => make(GRPC, { ...OK, durationMs: 3_600_000, beganAfterMs: 5 }));
    expect(make(GRPC, OK)).to.equal(undefined);
    times(40, () => make(GRPC, { ...OK, durationMs: 3_600_000, beganAfterMs: 101 }));
    expect(make(GRPC)?.message).to.contain('were slow');
  });

  it('does not count calls that were given up, by whichever side', async () => {
    const { make } = await bizkeeperRig(BREAKER);
    times(10, () => make(GRPC, { status: 200, grpcStatus: GRPC_STATUS.CANCELLED }));
    times(10, () => make(GRPC, { ...INTERNAL, aborted: true }));
    times(3, () => make(GRPC, INTERNAL));
    expect(make(GRPC, INTERNAL)).to.equal(undefined);
    expect(make(GRPC)?.message).to.contain('4 of 4');
  });

  it('bars an instance by its gRPC statuses, with the scope instance', async () => {
    const { call, policy } = await bizkeeperRig(BY_INSTANCE);
    const endpoint = new Endpoint('10.0.0.1', 80);
    for (let i = 0; i < 4; i++) {
      const made = call(GRPC);
      void policy.before?.(made);
      policy.attemptBegan?.(made, endpoint);
      policy.attemptEnded?.(made, endpoint, { ...INTERNAL, code: undefined, aborted: false, durationMs: 1 });
    }
    expect(endpoint.isOut).to.equal(true);
  });
});
