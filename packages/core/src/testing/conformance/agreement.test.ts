import { expect } from 'chai';
import type { CallExplanation } from '../../explain/explainer.js';
import { disagreements } from './agreement.js';
import type { ObservedAnswer, ReceivedRequest } from './cases.js';
import { explained } from './explained.js';

const SENT = explained({
  steps: [
    {
      stage: 'load-balancer',
      decision: '',
      details: [],
      data: { kept: [{ endpoint: 'a:1' }, { endpoint: 'b:1', probability: 0 }] },
    },
  ],
});
const REFUSED: CallExplanation = {
  ...SENT,
  sent: false,
  answer: { code: 'MESH_ERR_BREAKER_OPEN', status: 503, message: '', hint: '' },
};

function compare(explanation: CallExplanation, status: number, code: string | undefined, ...arrived: string[]): string {
  const headers: Record<string, string> = code === undefined ? {} : { 'x-mesher-error': code };
  const answer: ObservedAnswer = { status, headers, body: '', durationMs: 0 };
  const received = arrived.map((instance): ReceivedRequest => ({
    instance,
    method: '',
    path: '',
    headers: {},
    body: '',
  }));
  return disagreements(
    explanation,
    answer,
    received,
    (id) => `${id}:1`,
    (address) => address !== 'gone:1',
  ).join();
}

describe('comparing an explanation with the call', () => {
  it('finds nothing where they agree', () => {
    expect(compare(SENT, 200, undefined, 'a')).to.equal('');
    expect(compare(SENT, 502, 'MESH_ERR_CONNECT')).to.equal('');
    expect(compare(REFUSED, 503, 'MESH_ERR_BREAKER_OPEN')).to.equal('');
    expect(compare({ ...REFUSED, open: true }, 200, undefined, 'a')).to.equal('');
  });

  it('finds what was explained as sent and is not, and the other way round', () => {
    expect(compare(SENT, 429, 'MESH_ERR_RATE_LIMITED')).to.match(/explained as sent, but answered with 429/);
    expect(compare(REFUSED, 200, undefined, 'a')).to.match(/but answered with 200.*but sent/);
    expect(compare(REFUSED, 503, 'MESH_ERR_BULKHEAD_FULL')).to.match(
      /503 MESH_ERR_BREAKER_OPEN, but answered with 503/,
    );
  });

  it('finds an instance that was not to be chosen, unless the chosen one could not be reached', () => {
    expect(compare(SENT, 200, undefined, 'b')).to.match(/a choice among a:1, but sent to b:1/);
    const [step] = SENT.steps;
    const gone = { ...SENT, steps: [{ ...step!, data: { kept: [{ endpoint: 'gone:1' }] } }] };
    expect(compare(gone, 200, undefined, 'b')).to.equal('');
  });
});
