import { expect } from 'chai';
import type { CallExpectation, ObservedAnswer, ReceivedRequest } from './cases.js';
import { checkCalls, checkExplanation } from './check-step.js';
import { explained } from './explained.js';
import { readTopic } from './read-topic.js';

function expectation(yaml: string): CallExpectation {
  const topic = readTopic('t', `{ about: x, cases: [{ name: x, steps: [{ call: GET http://w/, expect: ${yaml} }] }] }`);
  const [step] = topic.cases[0]?.steps ?? [];
  if (step?.kind !== 'call') throw new Error('no call');
  return step.expect;
}

function answer(instance: string, facts: Partial<ObservedAnswer> = {}): ObservedAnswer {
  return { status: 200, headers: { 'x-instance': instance, 'x-a': '1' }, body: instance, durationMs: 50, ...facts };
}

function request(instance: string): ReceivedRequest {
  return { instance, method: 'GET', path: '/p', headers: { 'x-sent': 'yes' }, body: '' };
}

const ANSWERS = [answer('a'), answer('b'), answer('a')];
const REQUESTS = ANSWERS.map(({ body }) => request(body));

describe('checking what a step did', () => {
  const right = [
    '{ status: 200, by: [a, b], received: 3 }',
    '{ status: [200, 200, 200], share: { a: 2, b: 1 } }',
    '{ status: { 200: 3 }, received: { a: 2, b: 0..1 }, path: /p }',
    '{ headers: { x-a: ~^1$, x-b: null }, sent: { x-sent: yes }, code: null }',
    '{ body: ~a|b, atLeast: 40ms, within: 60ms }',
  ];
  for (const yaml of right) {
    it(`finds nothing wrong with ${yaml}`, () => {
      expect(checkCalls(expectation(yaml), ANSWERS, REQUESTS)).to.deep.equal([]);
    });
  }

  const wrong: readonly (readonly [yaml: string, problem: RegExp])[] = [
    ['{ status: 503 }', /expected status 503, but got 200, 200, 200/],
    ['{ status: [200, 200] }', /expected status/],
    ['{ status: { 200: 2, 503: 1 } }', /200: 2, 503: 1, but got 200: 3/],
    ['{ by: a }', /expected answers by a, but they came from a: 2, b: 1/],
    ['{ by: [a, b, c] }', /expected answers by a, b, c/],
    ['{ share: { a: 2 } }', /but got a: 2, b: 1/],
    ['{ share: { a: 2, b: 1, c: 1..2 } }', /c: 1..2, but got/],
    ['{ same: true }', /expected one instance/],
    ['{ received: 2 }', /expected 2 requests at instances, but they got 3/],
    ['{ received: { a: 3 } }', /expected requests at a: 3/],
    ['{ code: MESH_ERR_CONNECT }', /expected code MESH_ERR_CONNECT, but there is none/],
    ['{ codes: { MESH_ERR_CONNECT: 1 } }', /expected code/],
    ['{ headers: { x-a: 2 } }', /answer 0: expected x-a 2, but it is "1"/],
    ['{ headers: { x-a: null } }', /expected x-a to be absent/],
    ['{ sent: { x-sent: no } }', /request 0, to a: expected x-sent/],
    ['{ path: /q } ', /expected path/],
    ['{ body: a }', /answer 1: expected body a, but it is "b"/],
    ['{ atLeast: 60ms }', /took 50.0 ms, expected at least 60/],
    ['{ within: 40ms }', /took 50.0 ms, expected at most 40/],
  ];
  for (const [yaml, problem] of wrong) {
    it(`says what is wrong with ${yaml}`, () => {
      expect(checkCalls(expectation(yaml), ANSWERS, REQUESTS).join('\n')).to.match(problem);
    });
  }

  it('compares an explanation by verdict, code and stages', () => {
    const refused = explained({
      sent: false,
      answer: { code: 'MESH_ERR_NO_SUBSET', status: 503, message: '', hint: '' },
      steps: [{ stage: 'router', decision: 'rule 1', details: ['x-user is 1'], data: {} }],
    });
    const none = { sent: undefined, code: undefined, steps: new Map() };
    expect(
      checkExplanation({ sent: false, code: /SUBSET/, steps: new Map([['router', /x-user/]]) }, refused),
    ).to.deep.equal([]);
    expect(checkExplanation({ ...none, sent: true }, refused)[0]).to.match(/expected sent: true, but it is false/);
    expect(checkExplanation({ ...none, code: 'X' }, refused)[0]).to.match(/expected code X/);
    expect(checkExplanation({ ...none, steps: new Map([['router', 'x']]) }, refused)[0]).to.match(/router to say x/);
    expect(checkExplanation({ ...none, steps: new Map([['router', null]]) }, refused)[0]).to.match(/router to say/);
  });
});
