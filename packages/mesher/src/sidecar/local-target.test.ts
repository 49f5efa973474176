import { expect } from 'chai';
import { Endpoint, LocalGate, Rejection, type AttemptFailure } from '@mesher/core';
import { FakeCall } from '@mesher/core/testing';
import { LocalTarget } from './local-target.js';

const FAILURE: AttemptFailure = {
  code: 'MESH_ERR_CONNECT',
  message: 'connect ECONNREFUSED 127.0.0.1:9',
  sent: false,
  reusedConnection: false,
};

describe('a listener with a local target', () => {
  const gate = new LocalGate();
  const target = new LocalTarget('store', { host: '127.0.0.1', port: 5432 }, gate);

  it('sends every call to its one address, as a call of the local service', () => {
    const call = new FakeCall({ direction: 'inbound', protocol: 'tcp' });
    const endpoint = target.begin(call);
    expect(endpoint).to.be.instanceOf(Endpoint).with.property('key', '127.0.0.1:5432');
    expect(target.begin(new FakeCall())).to.equal(endpoint);
    expect(call.destination).to.deep.equal({ service: 'store' });
    expect(target.direction).to.equal('inbound');
  });

  it('tries again only after a pooled connection that was already dead', () => {
    const call = new FakeCall();
    const refused = target.again(call, FAILURE);
    expect(refused).to.be.instanceOf(Rejection).and.include({ code: FAILURE.code, message: FAILURE.message });
    expect(target.again(call, { ...FAILURE, reusedConnection: true })).to.equal(target.begin(call));
  });

  it('refuses while the application is down', () => {
    gate.close(() => 'tcp:5432: nobody listens');
    expect(target.begin(new FakeCall())).to.be.instanceOf(Rejection).and.include({ code: 'MESH_ERR_LOCAL_DOWN' });
    gate.open();
    expect(target.begin(new FakeCall())).to.be.instanceOf(Endpoint);
  });
});
