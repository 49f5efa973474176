import { expect } from 'chai';
import { FakeCall } from '../testing/fake-call.js';
import { RequestIds } from './request-ids.js';

describe('request ids', () => {
  it('are given to requests that have none, each a different one', () => {
    const ids = new RequestIds();
    const given = Array.from({ length: 100 }, () => {
      const call = new FakeCall();
      ids.apply(call);
      expect(call.sent('x-request-id')).to.deep.equal([call.requestId]);
      return call.requestId ?? '';
    });
    expect(new Set(given).size).to.equal(100);
    for (const id of given) expect(id).to.match(/^[0-9a-f]{16}-[0-9a-f]{12}$/);
  });

  it('of two processes differ', () => {
    const [one, two] = [new FakeCall(), new FakeCall()];
    new RequestIds().apply(one);
    new RequestIds().apply(two);
    expect(one.requestId).to.not.equal(two.requestId);
  });

  it('that a request brings along stay', () => {
    const call = new FakeCall({ headers: { 'x-request-id': 'from-the-edge' } });
    new RequestIds().apply(call);
    expect(call.sent('x-request-id')).to.deep.equal(['from-the-edge']);
    expect(call.requestId).to.equal(undefined);
  });
});
