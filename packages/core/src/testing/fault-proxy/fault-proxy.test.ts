import { expect } from 'chai';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { FaultProxy } from './fault-proxy.js';
import { FAULT_MODES, type Fault, type FaultMode } from './faults.js';

/** What a client saw of its connection. */
class Client {
  readonly socket: Socket;
  readonly ended: Promise<string>;
  text = '';
  readonly #waiting = new Set<() => void>();

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    this.socket.setEncoding('latin1').on('data', (text: string) => {
      this.text += text;
      for (const look of [...this.#waiting]) look();
    });
    this.ended = new Promise((resolve) => {
      this.socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      this.socket.once('end', () => resolve('end'));
    });
  }

  async until(text: string): Promise<void> {
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (!this.text.includes(text)) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }
}

describe('the fault proxy', () => {
  let server: Server;
  let proxy: FaultProxy;
  const accepted: Socket[] = [];
  const clients: Client[] = [];

  /** Answers what it gets; `!` with a long text. */
  beforeEach(async () => {
    server = createServer({ allowHalfOpen: true }, (socket) => {
      accepted.push(socket);
      socket.on('error', () => {});
      socket.on('end', () => socket.end('bye'));
      socket.on('data', (bytes: Buffer) => socket.write(bytes.includes('!') ? 'x'.repeat(300_000) : bytes));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    proxy = await FaultProxy.start({ port: (server.address() as AddressInfo).port });
  });

  afterEach(async () => {
    for (const { socket } of clients.splice(0)) socket.destroy();
    for (const socket of accepted.splice(0)) socket.destroy();
    await proxy.close();
    await new Promise((resolve) => server.close(resolve));
  });

  function open(): Client {
    const client = new Client(proxy.port);
    clients.push(client);
    return client;
  }

  async function talking(): Promise<Client> {
    const client = open();
    client.socket.write('hello');
    await client.until('hello');
    return client;
  }

  const toClient = (fault: Fault): FaultMode => ({ toClient: fault });

  it('passes everything on without a fault, both ends, and counts', async () => {
    const client = await talking();
    client.socket.end('bye');
    expect(await client.ended).to.equal('end');
    expect(client.text).to.equal('hellobyebye');
    await proxy.until((counts) => counts.open === 0);
    expect(proxy.counts).to.deep.equal({ accepted: 1, faults: 0, toServer: 8, toClient: 11, open: 0 });
  });

  it('passes on the reset of either side', async () => {
    const one = await talking();
    accepted[0]?.resetAndDestroy();
    expect(await one.ended).to.equal('ECONNRESET');
    const other = await talking();
    const reset = new Promise((resolve) => accepted[1]?.once('error', resolve));
    other.socket.resetAndDestroy();
    expect(await reset).to.include({ code: 'ECONNRESET' });
  });

  it('refuses, lets open connections be, and accepts again on the same port', async () => {
    const before = await talking();
    await proxy.set('refuse');
    expect(await open().ended).to.equal('ECONNREFUSED');
    before.socket.write('still');
    await before.until('still');
    await proxy.heal();
    await talking();
  });

  it('is like a process that is killed', async () => {
    const client = await talking();
    await proxy.kill();
    expect(await client.ended).to.equal('ECONNRESET');
    expect(await open().ended).to.equal('ECONNREFUSED');
  });

  it('swallows everything as a black hole, of open and of new connections, until that is over', async () => {
    const before = await talking();
    await proxy.set(FAULT_MODES['black hole'] ?? {});
    before.socket.write(' lost?');
    const after = open();
    after.socket.write('anybody?');
    await proxy.until(({ accepted: count }) => count === 2);
    // It is not even connected.
    expect(accepted).to.have.length(1);
    await proxy.heal();
    await Promise.all([before.until('hello lost?'), after.until('anybody?')]);
  });

  it('keeps the end of a connection to itself as a black hole', async () => {
    await talking();
    const gone = new Promise<string>((resolve) => accepted[0]?.once('close', () => resolve('gone')));
    await proxy.set(FAULT_MODES['black hole'] ?? {});
    clients[0]?.socket.destroy();
    // Another connection from end to end proves that there was time to tell.
    await proxy.set(({ number }) => (number === 1 ? { toServer: { kind: 'silence' } } : {}));
    await talking();
    expect(proxy.counts.open).to.equal(2);
    await proxy.heal();
    expect(await gone).to.equal('gone');
  });

  it('resets open and new connections', async () => {
    const before = await talking();
    await proxy.set({ resets: true });
    expect(await before.ended).to.equal('ECONNRESET');
    expect(await open().ended).to.equal('ECONNRESET');
    expect(proxy.counts.faults).to.equal(2);
  });

  it('delays each piece, in order', async () => {
    await proxy.set(toClient({ kind: 'delay', ms: 20 }));
    const client = open();
    const begunAt = performance.now();
    client.socket.write('a');
    client.socket.write('b');
    await client.until('ab');
    // A timer of Node may be one millisecond early.
    expect(performance.now() - begunAt).to.be.at.least(19);
  });

  it('throttles, and makes the sender wait', async () => {
    await proxy.set(toClient({ kind: 'throttle', bytesPerSecond: 20_000 }));
    const client = open();
    client.socket.write('!');
    await client.until('x'.repeat(1_500));
    expect(client.text.length).to.be.at.most(3_000);
    await proxy.heal();
    await client.until('x'.repeat(300_000));
  });

  for (const [ending, seen] of [
    ['close', ['end']],
    // For libuv a reset that comes right after bytes is an end.
    ['reset', ['end', 'ECONNRESET']],
  ] as const) {
    it(`truncates after so many bytes, with a ${ending}`, async () => {
      await proxy.set(toClient({ kind: 'truncate', afterBytes: 7, ending }));
      const client = open();
      client.socket.write('0123456789');
      expect(await client.ended).to.be.oneOf([...seen]);
      // What a reset overtakes may be lost.
      expect('0123456').to.contain(client.text);
      if (ending === 'close') expect(client.text).to.equal('0123456');
    });
  }

  it('truncates after so many bytes and is silent then, until that is over', async () => {
    await proxy.set(toClient({ kind: 'truncate', afterBytes: 7, ending: 'silence' }));
    const client = open();
    client.socket.write('0123456789');
    await client.until('0123456');
    await proxy.until(({ faults }) => faults === 1);
    expect(client.text).to.equal('0123456');
    await proxy.heal();
    await client.until('0123456789');
  });

  it('puts garbage between or in place of the bytes, once for each connection', async () => {
    const bytes = Buffer.from('??');
    await proxy.set({
      toServer: { kind: 'garbage', afterBytes: 1, bytes, how: 'insert' },
      toClient: { kind: 'garbage', afterBytes: 4, bytes, how: 'replace' },
    });
    const client = open();
    client.socket.write('01234567');
    await client.until('7');
    expect(client.text).to.equal('0??1??4567');
    client.socket.write('89');
    await client.until('9');
    expect(client.text).to.equal('0??1??456789');
  });

  it('closes one direction only', async () => {
    const client = await talking();
    await proxy.set(toClient({ kind: 'half-close' }));
    expect(await client.ended).to.equal('end');
    const heard = new Promise<string>((resolve) => accepted[0]?.once('data', (bytes) => resolve(String(bytes))));
    client.socket.write('more');
    expect(await heard).to.equal('more');
  });

  it('decides about each connection on its own', async () => {
    await proxy.set(({ number }) => ({ resets: number % 2 === 1 }));
    expect(await open().ended).to.equal('ECONNRESET');
    await talking();
  });

  it('leads to a server that was started elsewhere', async () => {
    const other = createServer((socket) => socket.end('other'));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    await talking();
    proxy.target = { port: (other.address() as AddressInfo).port };
    const client = open();
    await client.until('other');
    client.socket.destroy();
    await new Promise((resolve) => other.close(resolve));
  });

  it('resets who comes when there is no server', async () => {
    await new Promise<void>((resolve) => void server.close(() => resolve()));
    expect(await open().ended).to.equal('ECONNRESET');
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
});
