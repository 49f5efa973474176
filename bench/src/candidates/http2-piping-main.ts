import {
  connect,
  constants,
  createServer,
  type ClientHttp2Session,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import { randomUUID } from 'node:crypto';
import { endWithParent, readTask } from '../load/helper.js';

/** What somebody would write who has Node.js and an hour: each stream of `node:http2` piped into one of the upstream's session. */
export interface PipingTask {
  readonly routes: readonly { readonly port: number; readonly upstreamPort: number }[];
}

/** Windows as large as a proxy in production would have them: the default of 64 KB measures round trips. */
const SETTINGS = { initialWindowSize: 1_048_576, maxConcurrentStreams: 10_000 };

class Route {
  private session: ClientHttp2Session | undefined;

  constructor(private readonly upstreamPort: number) {}

  forward(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, address: string): void {
    const before = headers['x-forwarded-for'];
    const request = this.connected().request(
      {
        ...headers,
        'x-request-id': randomUUID(),
        'x-forwarded-for': before === undefined ? address : `${String(before)}, ${address}`,
      },
      { endStream: stream.endAfterHeaders },
    );
    if (!stream.endAfterHeaders) stream.pipe(request);
    let trailers: OutgoingHttpHeaders | undefined;
    request.on('response', (answer, flags) => {
      if (stream.destroyed) return;
      const endStream = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
      stream.respond({ ...answer }, { endStream, waitForTrailers: !endStream });
      if (!endStream) request.pipe(stream);
    });
    request.on('trailers', (fields) => (trailers = { ...fields }));
    stream.on('wantTrailers', () => stream.sendTrailers(trailers ?? {}));
    request.on('error', () => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
    stream.on('error', () => request.close(constants.NGHTTP2_CANCEL));
    stream.on('aborted', () => request.close(constants.NGHTTP2_CANCEL));
  }

  private connected(): ClientHttp2Session {
    if (this.session === undefined || this.session.closed || this.session.destroyed) {
      const session = connect(`http://127.0.0.1:${this.upstreamPort}`, {
        settings: { ...SETTINGS, enablePush: false },
      });
      session.setMaxListeners(0);
      session.on('error', () => session.destroy());
      session.on('connect', () => session.setLocalWindowSize(SETTINGS.initialWindowSize * 16));
      this.session = session;
    }
    return this.session;
  }
}

endWithParent();
for (const { port, upstreamPort } of readTask<PipingTask>().routes) {
  const route = new Route(upstreamPort);
  const server = createServer({ settings: SETTINGS });
  server.on('session', (session) => session.on('error', () => session.destroy()));
  server.on('stream', (stream, headers) => route.forward(stream, headers, stream.session?.socket.remoteAddress ?? ''));
  server.listen({ host: '127.0.0.1', port, backlog: 4_096 });
}
