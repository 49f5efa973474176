import { expect } from 'chai';
import { DirectAnswer, ERRORS, Rejection } from '../errors.js';
import { errorTrailers } from './error-trailers.js';

describe('the trailers of an error', () => {
  it('say the status of the code, what happened, what to do, and when to come back', () => {
    const limited = new Rejection('MESH_ERR_RATE_LIMITED', 'Zu viele Anrufe für w', 2, 'Wait');
    expect(errorTrailers(limited)).to.deep.equal([
      ['grpc-status', '8'],
      ['grpc-message', 'MESH_ERR_RATE_LIMITED: Zu viele Anrufe f%C3%BCr w. Wait'],
      ['grpc-retry-pushback-ms', '2000'],
    ]);
    expect(errorTrailers(new Rejection('MESH_ERR_DENIED', 'No.'))).to.deep.equal([
      ['grpc-status', '7'],
      ['grpc-message', `MESH_ERR_DENIED: No. ${ERRORS.MESH_ERR_DENIED.remedy}`],
    ]);
    const plain = errorTrailers(new Rejection('MESH_ERR_DENIED', 'no', undefined, ''));
    expect(plain[1]).to.deep.equal(['grpc-message', 'MESH_ERR_DENIED: no.']);
  });

  it('say the text of an answer that somebody has written, and no other content', () => {
    const message = (answer: DirectAnswer): unknown => errorTrailers(answer)[1]?.[1];
    const code = 'MESH_DIRECT_RESPONSE';
    expect(message(new DirectAnswer(code, 403, 'not for you'))).to.equal('not for you');
    expect(message(new DirectAnswer(code, 403, '{"a":1}', 'application/json', 'said no'))).to.equal(`${code}: said no`);
    expect(message(new DirectAnswer(code, 403, '', undefined, 'said no'))).to.equal(`${code}: said no`);
  });
});

describe('the gRPC status of an answer in full', () => {
  it('is the one that is given, else what clients make of an HTTP error, else that of the code', () => {
    const status = (http: number, grpc?: number): number =>
      new DirectAnswer('MESH_ERR_BREAKER_OPEN', http, '', undefined, undefined, grpc).grpcStatus;
    expect([status(403), status(200), status(302), status(403, 9)]).to.deep.equal([7, 14, 14, 9]);
  });

  it('stays when the answer gets another code', () => {
    const answer = new DirectAnswer('MESH_DIRECT_RESPONSE', 200, 'x', 'text/html', 'said so', 5);
    const other = answer.withCode('MESH_ERR_TIMEOUT');
    expect([other.code, other.status, other.grpcStatus, other.body, other.contentType, other.message]).to.deep.equal([
      'MESH_ERR_TIMEOUT',
      200,
      5,
      'x',
      'text/html',
      'said so',
    ]);
  });
});
