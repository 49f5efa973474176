import { once } from 'node:events';
import {
  connect,
  createServer,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type Http2Server,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
} from 'node:http2';
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { RawSession } from '../http2/testing/raw-session.js';
import type { ProxyHarness } from './proxy-harness.js';
import type { ProxyRig } from './proxy-rig.js';

/** A server of node:http2 that a test tells what to do with each stream. */
export interface Http2TestServer {
  readonly port: number;
  readonly server: Http2Server;
  readonly sessions: ServerHttp2Session[];
  /** In the order in which they came. */
  readonly streams: ServerHttp2Stream[];
  /** Header fields of each of {@link streams}. */
  readonly requests: IncomingHttpHeaders[];
  /** Waits until so many streams have come, and gives the last of them. */
  awaitStream(count: number): Promise<ServerHttp2Stream>;
}

/** What came back for a request of a node:http2 client. */
export interface Http2Answer {
  /** 0 when the stream ended without an answer. */
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Interim answers. */
  readonly interim: readonly IncomingHttpHeaders[];
  /** Code of RST_STREAM, 0 for none or NO_ERROR. */
  readonly resetCode: number;
}

/** Starts a real HTTP/2 server without TLS, which is closed with the rig. */
export async function startHttp2Server(
  rig: ProxyRig,
  onStream: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void = () => undefined,
  options: ServerOptions = {},
): Promise<Http2TestServer> {
  const server = createServer(options);
  const streams: ServerHttp2Stream[] = [];
  const requests: IncomingHttpHeaders[] = [];
  const sessions: ServerHttp2Session[] = [];
  server.on('session', (session) => sessions.push(session));
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    streams.push(stream);
    requests.push(headers);
    onStream(stream, headers);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  rig.atEnd(async () => {
    for (const session of sessions) session.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return {
    port: (server.address() as AddressInfo).port,
    server,
    sessions,
    streams,
    requests,
    async awaitStream(count) {
      while (streams.length < count) await once(server, 'stream');
      return streams[count - 1];
    },
  };
}

/** A server that speaks frames and nothing else. `onBlock` of each session is what the test makes it. */
export async function startRawHttp2Server(
  rig: ProxyRig,
  onBlock: (session: RawSession, streamId: number) => void,
): Promise<{ readonly port: number; readonly sessions: RawSession[] }> {
  const sessions: RawSession[] = [];
  const sockets: Socket[] = [];
  const server = createTcpServer({ noDelay: true }, (socket) => {
    const session = new RawSession(socket, true);
    session.ended.catch(() => undefined);
    session.onBlock = (streamId) => onBlock(session, streamId);
    sessions.push(session);
    sockets.push(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  rig.atEnd(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return { port: (server.address() as AddressInfo).port, sessions };
}

/** A connection of a real HTTP/2 client, which is closed with the rig. */
export function connectHttp2(rig: ProxyRig, to: ProxyHarness): ClientHttp2Session {
  const session = connect(`http://127.0.0.1:${to.port}`);
  session.on('error', () => undefined);
  rig.atEnd(() => session.destroy());
  return session;
}

/** Opens a stream; its body is left to the test when `endStream` is false. */
export function openStream(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders = {},
  endStream = true,
): ClientHttp2Stream {
  const stream = session.request({ ':path': '/', ':authority': 'a', ...headers }, { endStream });
  stream.on('error', () => undefined);
  return stream;
}

/** Reads the whole answer of a stream, whatever way it ends. */
export function readAnswer(stream: ClientHttp2Stream): Promise<Http2Answer> {
  return new Promise((resolve) => {
    let headers: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders = {};
    const pieces: Buffer[] = [];
    const interim: IncomingHttpHeaders[] = [];
    stream.on('headers', (block) => interim.push(block));
    stream.on('response', (block) => (headers = block));
    stream.on('trailers', (block) => (trailers = block));
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.on('close', () =>
      resolve({
        status: Number(headers[':status'] ?? 0),
        headers,
        trailers,
        body: Buffer.concat(pieces),
        interim,
        resetCode: stream.rstCode ?? 0,
      }),
    );
  });
}

/** Sends a whole request and reads the whole answer. */
export function requestHttp2(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders = {},
  body?: string | Buffer,
): Promise<Http2Answer> {
  const stream = openStream(session, headers, body === undefined);
  const answer = readAnswer(stream);
  if (body !== undefined) stream.end(body);
  return answer;
}
