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
    for (const id of given)
      expect(id).to.match(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
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

  it('that cannot be ids are replaced, whatever hides in them', () => {
    for (const id of ['', 'x'.repeat(257), 'a\u0000b', 'a\r\nb', 'a\tb', 'caf\u00e9', 'a\u007f']) {
      const call = new FakeCall({ headers: { 'x-request-id': id } });
      new RequestIds().apply(call);
      expect(call.sent('x-request-id'), JSON.stringify(id)).to.deep.equal([call.requestId]);
    }
    const longest = new FakeCall({ headers: { 'x-request-id': 'x'.repeat(256) } });
    new RequestIds().apply(longest);
    expect(longest.requestId).to.equal(undefined);
  });

  it('stand in the field that the configuration names', () => {
    const ids = new RequestIds({ header: 'X-Trace', maxLength: 16 });
    const given = new FakeCall({ headers: { 'x-request-id': 'of somebody else' } });
    ids.apply(given);
    expect(given.sent('x-trace')).to.deep.equal([given.requestId]);
    expect(given.sent('x-request-id')).to.deep.equal(['of somebody else']);
    const own = new FakeCall({ headers: { 'x-trace': 'mine' } });
    ids.apply(own);
    expect(own.sent('x-trace')).to.deep.equal(['mine']);
    ids.configure({ header: 'x-request-id', maxLength: 16 });
    const later = new FakeCall();
    ids.apply(later);
    expect([later.requestIdField, later.sent('x-request-id')]).to.deep.equal(['x-request-id', [later.requestId]]);
  });
});
