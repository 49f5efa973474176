import { expect } from 'chai';
import { Endpoint } from '../registry/endpoint.js';
import { Rejection } from '../errors.js';
import { FakeCall } from '../testing/fake-call.js';
import { handlerRig, place } from '../testing/handler-rig.js';

describe('the gate before the local application', () => {
  it('refuses calls with the reason while it is closed, and lets them through when it is open again', async () => {
    const { inbound, localGate } = handlerRig({ servicePorts: [{ protocol: 'rest', port: 8080 }] });
    localGate.close(() => 'tcp:8080: nobody listens on port 8080');
    expect(localGate.closedBecause).to.include('nobody listens');
    const refused = await place(inbound, new FakeCall({ direction: 'inbound' }));
    expect(refused).to.be.instanceOf(Rejection).and.include({
      code: 'MESH_ERR_LOCAL_DOWN',
      status: 503,
      grpcStatus: 14,
      message: 'tcp:8080: nobody listens on port 8080',
    });
    localGate.open();
    expect(await place(inbound, new FakeCall({ direction: 'inbound' }))).to.be.instanceOf(Endpoint);
  });

  it('has nothing to do with calls of the application', async () => {
    const { outbound, localGate } = handlerRig();
    localGate.close(() => 'down');
    const verdict = outbound.begin(new FakeCall({ authority: 'world' }));
    if (!(verdict instanceof Promise)) expect(verdict).not.to.include({ code: 'MESH_ERR_LOCAL_DOWN' });
  });
});
