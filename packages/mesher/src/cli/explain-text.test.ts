import { expect } from 'chai';
import type { CallExplanation } from '@mesher/core';
import { renderExplanation } from './explain-text.js';

const PLAIN = { colour: false, columns: 80 };

const SENT: CallExplanation = {
  request: {
    direction: 'outbound',
    protocol: 'http',
    method: 'GET',
    authority: 'world',
    path: '/v2',
    headers: { 'x-user': '1' },
    source: undefined,
  },
  sent: true,
  open: false,
  answer: undefined,
  steps: [
    { stage: 'resolver', decision: 'host: world is the service world', details: [], data: {} },
    {
      stage: 'load-balancer',
      decision: 'one of 2 endpoints',
      details: ['10.0.0.1:80  50 %', '10.0.0.2:80  50 %'],
      data: {},
    },
  ],
  edits: { path: '/new', added: [['x-a', '1']], removed: ['x-b'], responseFields: [['x-c', '2']] },
};

const REFUSED: CallExplanation = {
  ...SENT,
  sent: false,
  answer: { code: 'MESH_ERR_NO_SUBSET', status: 503, message: 'no', hint: 'Start an instance.' },
};

describe('an explanation as text', () => {
  it('has a line per decision in columns, what was looked at below, and the verdict at the end', () => {
    expect(renderExplanation(SENT, PLAIN)).to.equal(
      [
        'GET http://world/v2  outbound, http',
        '  x-user: 1',
        '',
        '  resolver       host: world is the service world',
        '  load-balancer  one of 2 endpoints',
        '                 - 10.0.0.1:80  50 %',
        '                 - 10.0.0.2:80  50 %',
        '',
        'The call would be sent',
        '  path    /v2 -> /new',
        '  remove  x-b',
        '  set     x-a: 1',
        '  answer  x-c: 2',
        '',
      ].join('\n'),
    );
  });

  it('marks the decision that stopped the call and says what the caller would get', () => {
    const text = renderExplanation(REFUSED, PLAIN);
    expect(text).to.match(/\nx load-balancer {2}one of 2 endpoints\n/);
    expect(text).to.match(
      /\nThe call would not be sent: the caller would get 503 MESH_ERR_NO_SUBSET\n {2}Start an instance\.\n$/,
    );
  });

  it('names the status of gRPC where the caller would get one', () => {
    const answer = { code: 'MESH_ERR_NO_ROUTE', status: 404, grpcStatus: 12, message: 'no', hint: '' };
    expect(renderExplanation({ ...REFUSED, answer }, PLAIN)).to.match(
      /: the caller would get UNIMPLEMENTED \(12\) MESH_ERR_NO_ROUTE\n/,
    );
  });

  it('says so when more is known only when the call is made', () => {
    expect(renderExplanation({ ...SENT, open: true }, PLAIN)).to.match(
      /\nThe call would go on; what follows shows only/,
    );
  });

  it('breaks long lines at blanks and keeps its columns', () => {
    const long = {
      stage: 'router',
      decision: 'word '.repeat(40).trim(),
      details: ['detail '.repeat(30).trim()],
      data: {},
    };
    const lines = renderExplanation({ ...SENT, steps: [long] }, PLAIN).split('\n');
    expect(Math.max(...lines.map((line) => line.length))).to.be.at.most(80);
    expect(lines.filter((line) => /^ {11}word/.test(line))).to.have.length.above(1);
  });

  it('has colours only where they are understood', () => {
    expect(renderExplanation(REFUSED, PLAIN)).to.not.include('\u001b');
    expect(renderExplanation(REFUSED, { ...PLAIN, colour: true })).to.include('\u001b[31m');
  });

  it('lets no control character of a request reach the terminal', () => {
    const headers = { 'x-a': 'b\u001b]0;title\u0007' };
    const evil = { stage: 'router', decision: 'a\u001b[2J', details: ['\u009b31m'], data: {} };
    const text = renderExplanation({ ...SENT, request: { ...SENT.request, headers }, steps: [evil] }, PLAIN);
    expect(text).to.match(/^[\n\x20-\x7e]*$/);
  });
});
