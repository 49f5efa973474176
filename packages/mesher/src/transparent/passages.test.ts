import { CallMetrics, UNKNOWN_SERVICE } from '@mesher/core';
import { FakeCall } from '@mesher/core/testing';
import { expect } from 'chai';
import { Passages } from './passages.js';

const OUTCOME = { status: 200, code: undefined, aborted: false, durationMs: 3 } as const;

describe('the ways to original destinations', () => {
  const observation = { begin: () => undefined, end: () => undefined };

  function make(maxDestinations = 16): { passages: Passages; forgotten: string[]; metrics: CallMetrics } {
    const forgotten: string[] = [];
    const metrics = new CallMetrics();
    const onForgotten = ({ key }: { key: string }): void => void forgotten.push(key);
    return {
      passages: new Passages({ maxDestinations, own: 'shop', metrics, observation, onForgotten }),
      forgotten,
      metrics,
    };
  }

  it('are one endpoint for each address and port, so that connections to it can be kept', () => {
    const { passages } = make();
    const passage = passages.to('outbound', 'fd77::2', 8080);
    expect(passages.to('outbound', 'fd77::2', 8080)).to.equal(passage);
    expect(passages.to('outbound', 'fd77::2', 8081)).not.to.equal(passage);
    expect(passages.to('inbound', 'fd77::2', 8080)).not.to.equal(passage);
    expect(passage.begin(new FakeCall()).key).to.equal('[fd77::2]:8080');
  });

  it('forget what was not used for longest, and say so', () => {
    const { passages, forgotten } = make(16);
    for (let port = 1; port <= 16; port++) passages.to('outbound', '10.0.0.1', port);
    passages.to('outbound', '10.0.0.1', 1);
    passages.to('outbound', '10.0.0.1', 17);
    expect(forgotten).to.deep.equal(['10.0.0.1:2']);
    // Both of its endpoints: that for HTTP/1 and that for HTTP/2.
    void passages.to('outbound', '10.0.0.1', 3).overHttp2;
    for (let port = 18; port <= 33; port++) passages.to('outbound', '10.0.0.1', port);
    expect(forgotten.slice(-2)).to.deep.equal(['10.0.0.1:3', '10.0.0.1:3']);
  });

  it('count calls for the service that is known, for the application, or for none', () => {
    const { passages, metrics } = make();
    const ended = (direction: 'inbound' | 'outbound', destination?: { service: string }): void => {
      const call = new FakeCall({ direction, ...(destination === undefined ? {} : { destination }) });
      const passage = passages.to(direction, '10.0.0.1', 80);
      passage.begin(call);
      passage.end(call, OUTCOME);
    };
    ended('outbound', { service: 'orders' });
    ended('outbound');
    ended('inbound');
    for (const [direction, service] of [
      ['outbound', 'orders'],
      ['outbound', UNKNOWN_SERVICE],
      ['inbound', 'shop'],
    ] as const) {
      const slot = metrics.slotFor(direction, service);
      expect([metrics.inFlightOf(slot), metrics.requestsOf(slot, 2)], service).to.deep.equal([0, 1]);
    }
  });
});
