import { fakePorts } from '@mesher/core/testing';
import { expect } from 'chai';
import { OwnNetwork } from './own-network.js';

const PORT = 14_956;

describe('the addresses of this machine', () => {
  it('are those of its interfaces, and all of loopback', () => {
    const network = new OwnNetwork(fakePorts(), PORT, () => new Set(['10.0.0.2', 'fd77::2']));
    const own = ['10.0.0.2', 'fd77::2', '127.0.0.1', '127.8.9.1', '::1', '10.0.0.3', '::2'].map((one) =>
      network.has(one),
    );
    expect(own).to.deep.equal([true, true, true, true, true, false, false]);
    network.close();
  });

  it('are looked at again now and then, and not for each connection', () => {
    const ports = fakePorts();
    let reads = 0;
    const network = new OwnNetwork(ports, PORT, () => new Set(++reads > 1 ? ['10.0.0.3'] : []));
    expect(network.has('10.0.0.3')).to.equal(false);
    ports.time.advance(5_000);
    expect([network.has('10.0.0.3'), reads]).to.deep.equal([true, 2]);
    network.close();
    expect(ports.time.pendingTimers).to.equal(0);
  });

  it('include one that the system does not tell yet, where a connection was redirected from outside', () => {
    const network = new OwnNetwork(fakePorts(), PORT, () => new Set());
    const came = (localAddress: string, localPort = PORT): boolean =>
      network.has('10.0.0.3', { localAddress, localPort });
    expect([came('10.0.0.3'), came('::ffff:10.0.0.3')]).to.deep.equal([true, true]);
    // Of the interface of a gateway; of a local program.
    expect([came('10.0.0.4'), came('127.0.0.1'), came('::ffff:127.0.0.1'), came('::1')]).to.deep.equal([
      ...[false, false, false, false],
    ]);
    // TPROXY: every address looks like that, and so says nothing.
    expect(came('10.0.0.3', 80)).to.equal(false);
    network.close();
  });

  it('are looked at again when somebody from outside calls another one, ten times a second at most', () => {
    const ports = fakePorts();
    let reads = 0;
    const network = new OwnNetwork(ports, PORT, () => new Set(++reads > 2 ? ['10.0.0.3'] : []));
    const socket = { localAddress: '10.0.0.3', localPort: 80 };
    expect([network.has('10.0.0.3', socket), reads]).to.deep.equal([false, 1]);
    ports.time.advance(100);
    expect([network.has('10.0.0.3', socket), network.has('10.0.0.3', socket), reads]).to.deep.equal([false, false, 2]);
    ports.time.advance(100);
    expect([network.has('10.0.0.3', { localAddress: '::1', localPort: PORT }), reads]).to.deep.equal([false, 2]);
    expect([network.has('10.0.0.3', socket), reads]).to.deep.equal([true, 3]);
    network.close();
  });
});
