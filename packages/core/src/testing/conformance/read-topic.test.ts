import { expect } from 'chai';
import { readTopic } from './read-topic.js';

const WHOLE = `
about: Something.
cases:
  - name: It works
    instances: { world: [a, { id: b, answers: [{ status: 503, times: 1, delay: 20ms }, 200] }] }
    steps:
      - call: GET http://world/
        expect: { status: { 200: 1..2 }, headers: { x-a: ~^b, x-c: null } }
      - wait: 1s
      - change: { files: { a.yaml: '' }, refused: true }
      - explain: GET http://world/
        expect: { sent: true, steps: { router: ~v2 } }
`;

describe('a file of the conformance table', () => {
  it('is read with the usual values for what it leaves out', () => {
    const { about, cases } = readTopic('t', WHOLE);
    expect(about).to.equal('Something.');
    const [one] = cases;
    expect(one?.instances['world']?.map(({ id, version }) => `${id} ${version}`)).to.deep.equal(['a 1.0.0', 'b 1.0.0']);
    expect(
      one?.instances['world']?.[1]?.answers.map(({ status, times, delayMs }) => [status, times, delayMs]),
    ).to.deep.equal([
      [503, 1, 20],
      [200, Infinity, 0],
    ]);
    expect(one?.steps.map(({ kind }) => kind)).to.deep.equal(['call', 'wait', 'change', 'explain']);
    const [call] = one?.steps ?? [];
    expect(call).to.deep.include({ method: 'GET', url: 'http://world/', times: 1, parallel: false });
    expect(call?.kind === 'call' && call.expect.status).to.deep.equal(new Map([[200, { min: 1, max: 2 }]]));
    expect(call?.kind === 'call' && call.expect.headers).to.deep.equal(
      new Map<string, unknown>([
        ['x-a', /^b/s],
        ['x-c', null],
      ]),
    );
  });

  const mistakes: readonly (readonly [from: string, to: string, problem: RegExp])[] = [
    ['about:', 'abuot:', /unknown key 'abuot'/],
    ['steps:\n      - call', 'hosts: [sidecar]\n    steps:\n      - call', /gives no reason/],
    ['expect: { status', 'expect: { statu', /unknown key 'statu'/],
    ['status: { 200: 1..2 }', 'status: { 200: some }', /must be a count/],
    ['wait: 1s', 'wait: soon', /must be a duration/],
    ['wait: 1s', 'pause: 1s', /must be one of call, explain, wait and change/],
    ['GET http://world/\n        expect: { status', 'http://world/\n        expect: { status', /must be 'METHOD URL'/],
    ['id: b', 'id: app', /is the local application/],
    ['expect: { status: { 200: 1..2 }, headers: { x-a: ~^b, x-c: null } }', 'expect: {}', /expects nothing/],
    ['times: 1, ', 'time: 1, ', /unknown key 'time'/],
  ];
  for (const [from, to, problem] of mistakes) {
    it(`is refused when it says '${to.split('\n').at(-1)?.trim()}'`, () => {
      expect(WHOLE).to.include(from);
      expect(() => readTopic('t', WHOLE.replace(from, to))).to.throw(problem);
    });
  }

  it('is refused when two cases have one name', () => {
    const one = '{ name: A, refused: ~x }';
    expect(() => readTopic('t', `{ about: x, cases: [${one}, ${one}] }`)).to.throw(/two cases/);
  });
});
