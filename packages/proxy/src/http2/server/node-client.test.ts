import { once } from 'node:events';
import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { connect as connectTcp, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { expect } from 'chai';
import { until } from '../../testing/proxy-rig.js';
import { own } from '../../socket-owner.js';
import { HeaderBlock } from '../hpack/header-block.js';
import { HeaderField } from '../hpack/header-field.js';
import { CLIENT_PREFACE } from '../frames/frame-format.js';
import { RawFrames } from '../testing/raw-frames.js';
import { get, setting, windowUpdate } from '../testing/server-case.js';
import { ServerRig, TestCall, type ServerRigOptions } from '../testing/server-rig.js';
import { EMPTY_SETTINGS, frame } from '../testing/wire.js';
import { Http2ServerConnection } from './http2-server-connection.js';
import type { RequestReceiver } from '../connection/stream-users.js';
import type { ServerStream } from './server-stream.js';
import type { StreamAcceptor } from './stream-acceptor.js';

const MB = 1024 * 1024;
const OK = { block: HeaderBlock.of([new HeaderField(':status', '200')]), edits: undefined, added: undefined };

/** Sends back what comes, piece by piece, with back-pressure and trailers. */
class Echo implements RequestReceiver {
  constructor(
    private readonly stream: ServerStream,
    endStream: boolean,
  ) {
    stream.head(OK, endStream);
  }

  onRequestData(buffer: Buffer, start: number, end: number, endStream: boolean): void {
    this.stream.data(buffer, start, end, endStream);
  }

  onRequestTrailers(block: HeaderBlock): void {
    this.stream.trailers(block);
  }

  onAnswerSent(bytes: number): void {
    this.stream.consumed(bytes);
  }

  onClientGone(): void {
    // nothing is held
  }

  onTimeout(): void {
    // nothing is armed
  }
}

describe('the accepted side of HTTP/2 with the client of Node', () => {
  let rig: ServerRig;
  let server: Server;
  const sessions: ClientHttp2Session[] = [];
  const sockets = new Set<Socket>();

  const ECHO: StreamAcceptor = { accept: (stream, _head, endStream) => new Echo(stream, endStream) };

  async function listen(options: ServerRigOptions = {}, acceptor = ECHO): Promise<void> {
    rig = new ServerRig(options);
    server = createServer({ allowHalfOpen: true }, (socket) => {
      const connection = new Http2ServerConnection(socket, acceptor, rig, rig.env);
      rig.open.add(connection);
      own(socket, connection, true);
      sockets.add(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }

  function client(settings: Parameters<typeof connect>[1] = {}): ClientHttp2Session {
    const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, settings);
    sessions.push(session);
    return session;
  }

  async function echo(stream: ClientHttp2Stream, body: Buffer): Promise<Buffer> {
    const pieces: Buffer[] = [];
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.end(body);
    await once(stream, 'end');
    return Buffer.concat(pieces);
  }

  function post(session: ClientHttp2Session): ClientHttp2Stream {
    return session.request({ ':method': 'POST', ':path': '/' });
  }

  afterEach(async () => {
    for (const session of sessions.splice(0)) session.destroy();
    sockets.clear();
    await until(() => rig.open.size === 0);
    expect(rig.env.http2Buffered.bytes).to.equal(0);
    expect([...rig.stats.http2Violations]).to.deep.equal([]);
    await new Promise((resolve) => server.close(resolve));
  });

  it('carries 10 MB both ways at once', async () => {
    await listen();
    const body = Buffer.alloc(10 * MB, 'some bytes that come again, ');
    // Node counts a body that it was given as memory of the session, of which it takes 10 MB by default.
    const session = client({ maxSessionMemory: 100 });
    expect((await echo(post(session), body)).equals(body)).to.equal(true);
  });

  it('carries bodies over windows of one byte', async () => {
    await listen();
    const body = Buffer.alloc(3000, 'abc');
    const session = client({ settings: { initialWindowSize: 1 } });
    expect((await echo(post(session), body)).equals(body)).to.equal(true);
  });

  it('serves 1,000 calls at once with a limit of 256', async () => {
    await listen();
    const session = client();
    await once(session, 'remoteSettings');
    const bodies = Array.from({ length: 1000 }, (_, i) => Buffer.alloc(1000 + i, String(i)));
    const answers = await Promise.all(bodies.map((body) => echo(post(session), body)));
    for (const [i, answer] of answers.entries()) expect(answer.equals(bodies[i]), `call ${i}`).to.equal(true);
  });

  it('passes trailers on', async () => {
    await listen();
    const stream = client().request({ ':method': 'POST', ':path': '/' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-checksum': '17' }));
    const trailers = once(stream, 'trailers');
    await echo(stream, Buffer.from('body'));
    expect((await trailers)[0]).to.include({ 'x-checksum': '17' });
  });

  it('hears of a cancelled call, and goes on', async () => {
    await listen();
    const session = client();
    const stream = post(session);
    stream.on('error', () => undefined);
    stream.write('begin');
    await once(stream, 'data');
    expect([...rig.open][0].openStreams).to.equal(1);
    stream.close(constants.NGHTTP2_CANCEL);
    await until(() => [...rig.open][0].openStreams === 0);
    expect((await echo(post(session), Buffer.from('again'))).toString()).to.equal('again');
  });

  it('is let go by a drain after its last call', async () => {
    await listen();
    const session = client();
    const stream = post(session);
    stream.write('begin');
    await once(stream, 'data');
    for (const connection of rig.open) connection.drain();
    await once(session, 'goaway');
    expect((await echo(stream, Buffer.from(' and end'))).toString()).to.equal(' and end');
    await until(() => rig.open.size === 0);
  });

  it('sends nothing that a stalled reader would have to buffer, while others are served', async () => {
    await listen();
    const session = client();
    const stalled = post(session);
    stalled.pause();
    stalled.write(Buffer.alloc(2 * MB));
    await until(() => rig.env.http2Buffered.bytes > 100_000);
    for (let i = 0; i < 20; i++) {
      const body = Buffer.alloc(1000, String(i));
      expect((await echo(post(session), body)).equals(body)).to.equal(true);
    }
    expect(rig.env.http2Buffered.bytes).to.be.at.most(2 * rig.env.options.http2.streamWindow);
    stalled.resume();
    stalled.end();
    await once(stalled, 'end');
  });

  it('writes no more to a client that does not read than its socket takes, and goes on when it does', async () => {
    const reply: StreamAcceptor = {
      accept: (stream) => {
        const call = new TestCall(stream, OK.block, () => undefined);
        stream.receiver = call;
        call.reply(MB);
        return call;
      },
    };
    await listen({ limits: { maxConnectionBufferedBytes: 64 * MB } }, reply);
    const socket = connectTcp((server.address() as AddressInfo).port, '127.0.0.1');
    await once(socket, 'connect');
    socket.pause();
    const requests = Array.from({ length: 20 }, (_, i) => get(1 + 2 * i));
    const windows = [setting(4, 10 * MB), windowUpdate(0, 100 * MB)];
    socket.write(Buffer.concat([CLIENT_PREFACE, EMPTY_SETTINGS, frame(4, 1, 0), ...windows, ...requests]));
    await until(() => [...rig.open].some(({ output }) => output.isStuck));
    const [connection] = rig.open;
    expect(connection.openStreams, 'answers that wait').to.be.greaterThan(5);
    for (const { writableLength } of sockets) expect(writableLength).to.be.at.most(128 * 1024);
    const seen = new RawFrames();
    socket.on('data', (chunk: Buffer) => seen.add(chunk));
    socket.resume();
    await until(() => connection.openStreams === 0);
    await until(() => requests.every((_, i) => seen.isEnded(1 + 2 * i)));
    for (let i = 0; i < 20; i++) expect(seen.dataOf(1 + 2 * i).reduce((sum, bytes) => sum + bytes, 0)).to.equal(MB);
    socket.destroy();
  });
});
