import { CallMetrics, Endpoint } from '@mesher/core';
import { FakeCall } from '@mesher/core/testing';
import { expect } from 'chai';
import { Passage } from './passage.js';

const NOBODY = { begin: () => undefined, end: () => undefined };

describe('the way to an original destination', () => {
  it('counts a call for the service that shows after it has begun', () => {
    const metrics = new CallMetrics();
    const passage = new Passage('outbound', new Endpoint('192.0.2.1', 443), undefined, metrics, NOBODY);
    const call = new FakeCall();
    passage.begin(call);
    const unknown = call.metricsSlot;
    passage.recognised(call, { service: 'orders' });
    expect(metrics.slotAt(call.metricsSlot)).to.deep.equal({ direction: 'outbound', service: 'orders' });
    expect([unknown, call.metricsSlot].map((slot) => metrics.inFlightOf(slot))).to.deep.equal([0, 1]);
    passage.end(call, { status: 0, code: undefined, aborted: false, durationMs: 1 });
    expect(metrics.inFlightOf(call.metricsSlot)).to.equal(0);
    passage.recognised(call, { service: 'late' });
    expect(metrics.slotCount).to.equal(2);
  });

  it('counts a connection when it ends, with its caller, and never when it turned out to hold requests', () => {
    const metrics = new CallMetrics();
    const passage = new Passage('inbound', new Endpoint('192.0.2.1', 80), 'shop', metrics, NOBODY);
    const counts = (): unknown => ({
      inFlight: metrics.inFlightOf(0),
      ended: metrics.requestsOf(0, 0),
      callers: Array.from(metrics.sources, ({ count }) => count),
    });
    const ended = { status: 0, code: undefined, aborted: true, durationMs: 9 } as const;
    for (const superseded of [true, undefined]) {
      const call = new FakeCall({ direction: 'inbound', protocol: 'tcp' });
      passage.begin(call);
      expect(counts()).to.deep.equal({ inFlight: 1, ended: 0, callers: [0] });
      passage.end(call, { ...ended, superseded });
      const count = superseded === true ? 0 : 1;
      expect(counts()).to.deep.equal({ inFlight: 0, ended: count, callers: [count] });
    }
  });

  it('counts nothing where nobody wants metrics', () => {
    const passage = new Passage('outbound', new Endpoint('192.0.2.1', 443), undefined, undefined, NOBODY);
    const call = new FakeCall();
    passage.begin(call);
    passage.recognised(call, { service: 'orders' });
    expect([passage.isCounted, call.metricsSlot]).to.deep.equal([false, -1]);
  });
});
