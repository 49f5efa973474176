import { expect } from 'chai';
import type { Outcome } from '../invocation.js';
import { CallMetrics, COUNTED_CODES, UNKNOWN_SERVICE } from '../telemetry/call-metrics.js';
import { FakeCall } from '../testing/fake-call.js';
import { outcome } from '../testing/handler-rig.js';
import { CallRecorder } from './call-recorder.js';

describe('the recorder of calls', () => {
  it('counts a call from its start to its end, with retries and the code of the answer', () => {
    const metrics = new CallMetrics();
    const recorder = new CallRecorder(metrics);
    const call = new FakeCall();
    const slot = recorder.slot(call, 'world');
    recorder.started(call, slot);
    recorder.retried(call, 'MESH_ERR_CONNECT');
    expect([call.metricsSlot, metrics.inFlightOf(slot)]).to.deep.equal([slot, 1]);
    recorder.ended(call, outcome({ status: 502, code: 'MESH_ERR_CONNECT', durationMs: 7 }));
    const code = COUNTED_CODES.indexOf('MESH_ERR_CONNECT');
    expect({
      inFlight: metrics.inFlightOf(slot),
      requests: metrics.requestsOf(slot, 5),
      seconds: metrics.secondsOf(slot, 5),
      retries: metrics.retriesOf(slot, code),
      rejections: metrics.rejectionsOf(slot, code),
    }).to.deep.equal({ inFlight: 0, requests: 1, seconds: 0.007, retries: 1, rejections: 1 });
  });

  it('counts a connection when it ends, with its caller, and never when it turned out to hold requests', () => {
    for (const superseded of [true, undefined]) {
      const metrics = new CallMetrics();
      const recorder = new CallRecorder(metrics);
      const call = new FakeCall({ direction: 'inbound', protocol: 'tcp' });
      const slot = recorder.slot(call, 'db');
      const callers = (): number[] => Array.from(metrics.sources, ({ count }) => count);
      recorder.started(call, slot);
      recorder.arrived(call);
      expect([metrics.inFlightOf(slot), ...callers()]).to.deep.equal([1, 0]);
      recorder.ended(call, outcome({ status: 0, aborted: true, superseded }));
      const count = superseded === true ? 0 : 1;
      expect([metrics.inFlightOf(slot), metrics.requestsOf(slot, 0), ...callers()]).to.deep.equal([0, count, count]);
    }
  });

  it('counts a gRPC call by its status, and in the class of the HTTP status that means the same', () => {
    const metrics = new CallMetrics();
    const recorder = new CallRecorder(metrics);
    const slot = metrics.slotFor('outbound', 'world');
    for (const facts of [{ grpcStatus: 0 }, { grpcStatus: 14 }, { grpcStatus: 5 }, { grpcStatus: 0, aborted: true }]) {
      const call = new FakeCall({ protocol: 'grpc' });
      recorder.started(call, slot);
      recorder.ended(call, outcome({ status: 200, ...facts }));
    }
    expect(Array.from(metrics.grpcOf(slot) ?? [])).to.deep.equal([
      1,
      0,
      0,
      0,
      0,
      1,
      ...Array<number>(8).fill(0),
      1,
      0,
      0,
    ]);
    expect([0, 2, 4, 5].map((statusClass) => metrics.requestsOf(slot, statusClass))).to.deep.equal([1, 1, 1, 1]);
    expect(metrics.grpcOf(metrics.slotFor('outbound', 'other'))).to.equal(undefined);
  });

  it('counts a gRPC call without a status of its own by what its caller makes of the end', () => {
    const metrics = new CallMetrics();
    const recorder = new CallRecorder(metrics);
    const slot = metrics.slotFor('outbound', 'world');
    const ended = (facts: Partial<Outcome>): void => {
      const call = new FakeCall({ protocol: 'grpc' });
      recorder.started(call, slot);
      recorder.ended(call, outcome({ status: 200, ...facts }));
    };
    ended({ code: 'MESH_ERR_UPSTREAM_RESET' });
    ended({ status: 404 });
    ended({ status: 0 });
    const counts = metrics.grpcOf(slot);
    expect([counts?.[14], counts?.[12]]).to.deep.equal([1, 1]);
    expect([0, 2, 5].map((statusClass) => metrics.requestsOf(slot, statusClass))).to.deep.equal([1, 0, 2]);
  });

  it('counts a call that ended before its service was known as one of an unknown service', () => {
    const metrics = new CallMetrics();
    new CallRecorder(metrics).ended(new FakeCall(), outcome({ status: 0, aborted: true }));
    const slot = metrics.slotFor('outbound', UNKNOWN_SERVICE);
    expect([metrics.inFlightOf(slot), metrics.requestsOf(slot, 0)]).to.deep.equal([0, 1]);
  });

  it('counts the bytes of both bodies at the end', () => {
    const metrics = new CallMetrics();
    const recorder = new CallRecorder(metrics);
    const call = new FakeCall();
    const slot = recorder.slot(call, 'world');
    recorder.started(call, slot);
    call.requestBytes = 5;
    call.responseBytes = 2 ** 40;
    recorder.ended(call, outcome());
    expect([metrics.requestBytesOf(slot), metrics.responseBytesOf(slot)]).to.deep.equal([5, 2 ** 40]);
  });

  it('writes nothing with metrics off', () => {
    const recorder = new CallRecorder(undefined);
    const call = new FakeCall();
    expect(recorder.slot(call, 'world')).to.equal(-1);
    recorder.started(call, -1);
    recorder.retried(call, 'MESH_ERR_CONNECT');
    recorder.ended(call, outcome());
    expect(call.metricsSlot).to.equal(-1);
  });
});
