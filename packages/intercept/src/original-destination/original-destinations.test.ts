import { expect } from 'chai';
import { isIPv6, type Server, type Socket } from 'node:net';
import { endianness } from 'node:os';
import { OriginalDestinations, transparentDestination } from './original-destinations.js';
import { SOCKADDR_BYTES, readSockaddr, writeSockaddr } from './sockaddr.js';
import { loadSystemCalls, type SystemCalls } from './system-calls.js';

const LITTLE = endianness() === 'LE';
const nobody = (): boolean => false;

/** A kernel that answers one errno, and a destination. */
function kernel(errno: number, address = '10.0.0.1', port = 8080): SystemCalls & { readonly asked: number[][] } {
  const asked: number[][] = [];
  return {
    asked,
    getsockopt: (fd, level, option, value) => {
      asked.push([fd, level, option]);
      value.set(writeSockaddr({ address, port }, LITTLE));
      return errno;
    },
    setsockopt: (fd, level, option) => {
      asked.push([fd, level, option]);
      return errno;
    },
    openSocket: () => 3,
    bind: () => 0,
    connect: () => 0,
    close: () => undefined,
  };
}

const socketAt = (localAddress: string | undefined, fd = 7): Socket =>
  ({ localAddress, localPort: 14956, _handle: { fd } }) as unknown as Socket;

describe('the original destination', () => {
  it('is asked for at the level of the family: a mapped address is one of IPv4', () => {
    const [four, mapped, six] = [kernel(0), kernel(0), kernel(0, 'fd00::1')];
    expect(new OriginalDestinations(four).of(socketAt('10.0.0.9'), nobody)).to.deep.equal({
      kind: 'intercepted',
      address: '10.0.0.1',
      port: 8080,
    });
    new OriginalDestinations(mapped).of(socketAt('::ffff:10.0.0.9'), nobody);
    expect(new OriginalDestinations(six).of(socketAt('fd00::9'), nobody)).to.include({ address: 'fd00::1' });
    expect([four.asked, mapped.asked, six.asked]).to.deep.equal([[[7, 0, 80]], [[7, 0, 80]], [[7, 41, 80]]]);
  });

  it('is a loop when it is a listener of ours', () => {
    const isOwn = (address: string, port: number): boolean => address === '10.0.0.1' && port === 14956;
    const found = new OriginalDestinations(kernel(0, '10.0.0.1', 14956)).of(socketAt('10.0.0.1'), isOwn);
    expect(found).to.deep.equal({ kind: 'own-listener', address: '10.0.0.1', port: 14956 });
  });

  it('is none for a direct connection, nor for one that is gone', () => {
    const kindFor = (errno: number, socket = socketAt('10.0.0.9')): string =>
      new OriginalDestinations(kernel(errno)).of(socket, nobody).kind;
    expect([kindFor(2), kindFor(92)]).to.deep.equal(['direct', 'direct']);
    expect([kindFor(107), kindFor(9), kindFor(0, socketAt(undefined))]).to.deep.equal(['gone', 'gone', 'gone']);
    const closed = { localAddress: '10.0.0.9', _handle: null } as unknown as Socket;
    expect(kindFor(0, closed)).to.equal('gone');
    expect(() => kindFor(1)).to.throw(/SO_ORIGINAL_DST of 10\.0\.0\.9 failed with errno 1/);
  });

  it('is the local address of a connection that came by TPROXY', () => {
    const at = (localAddress: string): unknown => transparentDestination({ localAddress, localPort: 80 }, nobody);
    expect(at('::ffff:10.0.0.1')).to.deep.equal({ kind: 'intercepted', address: '10.0.0.1', port: 80 });
    expect(at('fd00::1')).to.deep.equal({ kind: 'intercepted', address: 'fd00::1', port: 80 });
  });

  it('needs a permission for TPROXY, and says so', () => {
    const server = {
      _handle: { fd: 5 },
      address: () => ({ family: 'IPv6', address: '::', port: 1 }),
    } as unknown as Server;
    const calls = kernel(0);
    new OriginalDestinations(calls).makeTransparent(server);
    expect(calls.asked).to.deep.equal([[5, 41, 75]]);
    expect(() => new OriginalDestinations(kernel(1)).makeTransparent(server)).to.throw(
      /needs the capability NET_ADMIN/,
    );
  });

  it('without koffi ends with a message that names the alternative', () => {
    const load = (): never => {
      throw new Error("Cannot find module 'koffi'\nRequire stack:");
    };
    expect(() => loadSystemCalls(load, 'linux'))
      .to.throw(
        /^koffi cannot be loaded \(Cannot find module 'koffi'\): run npm install koffi, or .* TPROXY .* \(Transparent=true\)/,
      )
      .with.property('code', 'INTERCEPT_NO_KOFFI');
    expect(() => loadSystemCalls(load, 'darwin')).to.throw(/on Linux only, not on darwin/);
  });

  for (const address of [
    '0.0.0.0',
    '255.1.2.3',
    '::',
    '::1',
    'fd00::1',
    '2001:db8::1:0:0:1',
    '1:2:3:4:5:6:7:8',
    '1::8',
  ]) {
    it(`is read as it was written: ${address}`, () => {
      const bytes = new Uint8Array(SOCKADDR_BYTES);
      bytes.set(writeSockaddr({ address, port: 443 }, LITTLE));
      expect(readSockaddr(new DataView(bytes.buffer), LITTLE)).to.deep.equal({ address, port: 443 });
      expect(writeSockaddr({ address, port: 443 }, LITTLE)).to.have.length(isIPv6(address) ? 28 : 16);
    });
  }
});
