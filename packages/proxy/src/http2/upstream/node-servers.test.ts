import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type Settings,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { settleSockets, until } from '../../testing/proxy-rig.js';
import { requestOf, useUpstreamRig, type Sent, type UpstreamRig } from '../testing/upstream-rig.js';

const MEGABYTE = 1_048_576;

/** Bytes that differ from place to place, so that nothing can be lost or exchanged unseen. */
function pattern(bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  for (let i = 0; i < bytes; i++) buffer[i] = (i * 31 + (i >>> 8)) & 0xff;
  return buffer;
}

function echo(stream: ServerHttp2Stream): void {
  stream.respond({ ':status': 200 });
  stream.pipe(stream);
}

describe('instances of node:http2', () => {
  const newRig = useUpstreamRig();
  let close: (() => Promise<void>) | undefined;

  afterEach(async () => {
    await close?.();
    close = undefined;
  });

  async function serve(
    rig: UpstreamRig,
    onStream: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void,
    settings: Settings = {},
  ): Promise<{ send: (...given: Parameters<typeof requestOf>) => Sent; sessions: ServerHttp2Session[] }> {
    const server = createServer({ settings });
    const sessions: ServerHttp2Session[] = [];
    server.on('session', (session) => {
      session.on('error', () => undefined);
      sessions.push(session);
    });
    server.on('stream', (stream, headers) => {
      stream.on('error', () => undefined);
      onStream(stream, headers);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    close = async (): Promise<void> => {
      for (const session of sessions) session.destroy();
      server.close();
      await once(server, 'close');
    };
    const endpoint = rig.endpoint({ port: (server.address() as AddressInfo).port });
    const send = (path: string, method = 'GET', ...more: readonly (readonly [string, string])[]): Sent =>
      rig.send(endpoint, requestOf(path, method, ...more), method !== 'POST');
    return { send, sessions };
  }

  it('exchange ten megabytes in both directions at once, whole and in order', async () => {
    const rig = newRig();
    const { send } = await serve(rig, echo);
    const { attempt, answer } = send('/', 'POST');
    const body = pattern(10 * MEGABYTE);
    for (let at = 0; at < body.length; at += MEGABYTE)
      attempt.data(body, at, at + MEGABYTE, at + MEGABYTE === body.length);
    await rig.untilOver();
    expect(answer.sentBytes).to.equal(body.length);
    expect(Buffer.from(answer.body, 'latin1').equals(body)).to.equal(true);
  });

  it('get a body through a window of one byte', async () => {
    const rig = newRig();
    let received = '';
    const { send } = await serve(
      rig,
      (stream) => {
        stream.setEncoding('latin1');
        stream.on('data', (text: string) => (received += text));
        stream.on('end', () => {
          stream.respond({ ':status': 204 }, { endStream: true });
        });
      },
      { initialWindowSize: 1 },
    );
    const { attempt, answer } = send('/', 'POST');
    const body = pattern(300);
    attempt.data(body, 0, body.length, true);
    await rig.untilOver();
    expect(answer.status).to.equal('204');
    expect(received).to.equal(body.toString('latin1'));
  });

  it('may forbid the header table, and change it while calls are under way', async () => {
    const rig = newRig();
    const seen: unknown[] = [];
    const { send, sessions } = await serve(
      rig,
      (stream, headers) => {
        seen.push(headers['x-number']);
        stream.respond({ ':status': 200, 'x-number': headers['x-number'] }, { endStream: true });
      },
      { headerTableSize: 0 },
    );
    const expected: string[] = [];
    for (const size of [0, 4096, 100, 0]) {
      for (let i = 0; i < 5; i++) {
        expected.push(`${size}-${i}`);
        await rig.untilOver([send('/', 'GET', ['x-number', `${size}-${i}`], ['x-again', 'the same each time'])]);
      }
      sessions[0].settings({ headerTableSize: size });
      await settleSockets();
    }
    expect(seen).to.deep.equal(expected);
  });

  it('may shrink windows below what was sent, and open them again', async () => {
    const rig = newRig();
    let stream: ServerHttp2Stream | undefined;
    let received = 0;
    const { send, sessions } = await serve(rig, (opened) => {
      stream = opened;
      opened.pause();
    });
    const { attempt, answer } = send('/', 'POST');
    const body = pattern(200_000);
    attempt.data(body, 0, body.length, true);
    await until(() => stream !== undefined && answer.sentBytes === 65_535);
    sessions[0].settings({ initialWindowSize: 0 });
    await settleSockets();
    stream?.on('data', (piece: Buffer) => {
      received += piece.length;
      if (received < body.length) return;
      stream?.respond({ ':status': 204 }, { endStream: true });
    });
    stream?.resume();
    await settleSockets();
    sessions[0].settings({ initialWindowSize: 1_000_000 });
    await rig.untilOver();
    expect([answer.status, received, answer.sentBytes]).to.deep.equal(['204', body.length, body.length]);
  });

  it('answer a hundred calls beside one whose receiver takes nothing', async () => {
    const rig = newRig({ maxUpstreamConnections: 1 });
    const body = pattern(MEGABYTE);
    const { send } = await serve(rig, (stream, headers) => {
      stream.respond({ ':status': 200 });
      stream.end(headers[':path'] === '/large' ? body : 'small');
    });
    const large = send('/large');
    const takes = large.answer.takes as (bytes: number) => void;
    let held = 0;
    large.answer.takes = (bytes): void => void (held += bytes);
    await until(() => held === rig.env.options.http2.streamWindow);
    const others = Array.from({ length: 100 }, () => send('/small'));
    await rig.untilOver(others);
    expect(others.every(({ answer }) => answer.body === 'small')).to.equal(true);
    expect(large.answer.ends).to.equal(0);
    large.answer.takes = takes;
    takes(held);
    await rig.untilOver([large]);
    expect(Buffer.from(large.answer.body, 'latin1').equals(body)).to.equal(true);
  });

  it('lose no call when they close their sessions again and again', async () => {
    const rig = newRig();
    let count = 0;
    const { send } = await serve(rig, (stream) => {
      stream.respond({ ':status': 200 });
      stream.end('answer');
      if (++count % 100 === 0) stream.session?.close();
    });
    const ends: (string | undefined)[] = [];
    for (let i = 0; i < 40; i++) {
      const batch = Array.from({ length: 30 }, () => send('/'));
      await rig.untilOver(batch);
      ends.push(...batch.map(({ answer }) => answer.events.at(-1)));
    }
    expect(new Set(ends)).to.deep.equal(new Set(['end']));
    expect(rig.stats.http2Upstream.goaways).to.be.greaterThan(5);
  });

  it('see at once that a call is not wanted any more', async () => {
    const rig = newRig();
    let code: number | undefined;
    const { send } = await serve(rig, (stream) => {
      stream.respond({ ':status': 200 });
      stream.on('close', () => (code = stream.rstCode));
    });
    const { attempt, answer } = send('/');
    await until(() => answer.status === '200');
    attempt.cancel(8);
    await until(() => code !== undefined);
    expect(code).to.equal(8);
    expect(answer.ends).to.equal(0);
  });
});
