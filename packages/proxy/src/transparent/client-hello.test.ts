import { expect } from 'chai';
import { connect } from 'node:tls';
import { useProxyRig } from '../testing/proxy-rig.js';
import { readEarlyServerName, readServerName } from './client-hello.js';

describe('the server name in a ClientHello', () => {
  const rig = useProxyRig();

  /** What Node sends first. */
  async function helloFor(servername: string): Promise<Buffer> {
    const upstream = await rig().upstream();
    const client = connect({ host: '127.0.0.1', port: upstream.port, servername, rejectUnauthorized: false });
    client.on('error', () => undefined);
    const peer = await upstream.awaitConnection();
    await peer.awaitLength(6);
    client.destroy();
    return await peer.awaitEnd();
  }

  it('is read from what Node sends, as soon as all of it is there', async () => {
    const hello = await helloFor('Orders.example');
    expect(readServerName(hello)).to.equal('orders.example');
    for (let length = 0; length < hello.length; length++) {
      expect(readServerName(hello.subarray(0, length)), `of ${length} bytes`).to.equal(undefined);
    }
  });

  it('is read from a hello that is spread over several records', async () => {
    const hello = await helloFor('orders');
    const body = hello.subarray(5);
    const records = [body.subarray(0, 3), body.subarray(3, 90), body.subarray(90)].map((piece) =>
      Buffer.concat([Buffer.from([22, 3, 1, piece.length >> 8, piece.length & 0xff]), piece]),
    );
    expect(readServerName(Buffer.concat(records))).to.equal('orders');
    expect(readServerName(Buffer.concat(records.slice(0, 2)))).to.equal(undefined);
  });

  it('is not put together from ever so many records: to look at each of them again would take seconds', async () => {
    const body = (await helloFor('orders.example')).subarray(5);
    const records = (size: number): Buffer => {
      const pieces: Buffer[] = [];
      for (let at = 0; at < body.length; at += size) {
        const piece = body.subarray(at, at + size);
        pieces.push(Buffer.from([22, 3, 1, 0, piece.length]), piece);
      }
      return Buffer.concat(pieces);
    };
    expect(readServerName(records(Math.ceil(body.length / 32)))).to.equal('orders.example');
    expect(readServerName(records(1))).to.equal('');
    expect(readServerName(records(1).subarray(0, 33 * 6)), 'no more of them is awaited').to.equal('');
  });

  it('may show in a hello of which the end is missing', async () => {
    const hello = await helloFor('orders.example');
    expect(readEarlyServerName(hello)).to.equal('orders.example');
    const needed = hello.indexOf('orders.example') + 'orders.example'.length;
    for (let length = 0; length < hello.length; length++) {
      const seen = readEarlyServerName(hello.subarray(0, length));
      expect(seen, `of ${length} bytes`).to.equal(length < needed ? '' : 'orders.example');
    }
  });

  it('is empty where the client names none, and where no hello comes', async () => {
    expect(readServerName(await helloFor(''))).to.equal('');
    expect(readServerName(Buffer.from('GET / HTTP/1.1\r\n'))).to.equal('');
    expect(readServerName(Buffer.from([22, 3, 1, 0, 0, 1]))).to.equal('');
    expect(readServerName(Buffer.from([22, 3, 1, 0, 4, 2, 0, 0, 9]))).to.equal('');
    expect(readServerName(Buffer.from([22, 3, 1, 0, 4, 1, 1, 0, 0])), 'a hello of 64 KB').to.equal('');
  });

  it('never throws, whatever byte is another one', async () => {
    const hello = await helloFor('orders.example');
    for (let at = 0; at < hello.length; at++) {
      for (const value of [0, 1, 127, 255]) {
        const changed = Buffer.from(hello);
        changed[at] = value;
        readServerName(changed);
      }
    }
  });
});
