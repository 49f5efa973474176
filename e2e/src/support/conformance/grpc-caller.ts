import { grpcStatusOfHttp } from '@mesher/core';
import type { ObservedAnswer } from '@mesher/core/testing';
import { connect, constants, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { grpcMessage, textOfMessages } from './grpc-messages.js';

export interface GrpcRequest {
  readonly authority: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The one message. */
  readonly body: string;
  /** Where the caller is; 127.0.0.1 when left out. */
  readonly localAddress: string | undefined;
  readonly signal: AbortSignal;
  /** Called once the request is on its way, or never will be. */
  readonly onSent: () => void;
}

/** Calls of gRPC at one listener, as their callers see them on the wire; callers at one address share a connection. */
export class GrpcCaller {
  readonly #sessions = new Map<string, ClientHttp2Session>();

  constructor(
    private readonly host: string,
    private readonly port: number,
  ) {}

  call({ authority, path, headers, body, localAddress, signal, onSent }: GrpcRequest): Promise<ObservedAnswer> {
    const startedAt = performance.now();
    return new Promise((resolve) => {
      const stream = this.#session(localAddress).request({
        ':method': 'POST',
        ':authority': authority,
        ':path': path,
        'content-type': 'application/grpc',
        te: 'trailers',
        ...headers,
      });
      const fields: Record<string, string> = {};
      const pieces: Buffer[] = [];
      let status = 0;
      stream.once('finish', onSent);
      stream.once('close', onSent);
      stream.on('response', (head) => {
        status = Number(head[':status']);
        keep(fields, head);
      });
      stream.on('trailers', (trailers) => keep(fields, trailers));
      stream.on('data', (piece: Buffer) => pieces.push(piece));
      const leave = (): void => stream.close(constants.NGHTTP2_CANCEL);
      signal.addEventListener('abort', leave);
      stream.on('error', () => undefined);
      stream.once('close', () => {
        signal.removeEventListener('abort', leave);
        const durationMs = performance.now() - startedAt;
        const own = fields['grpc-status'];
        // Neither a status of its own nor an HTTP error: it broke, or was left.
        if (stream.rstCode !== constants.NGHTTP2_NO_ERROR || (own === undefined && status < 400)) {
          resolve({ status: 0, headers: {}, body: '', durationMs });
          return;
        }
        const grpcStatus = own === undefined ? grpcStatusOfHttp(status) : Number(own);
        resolve({ status, grpcStatus, headers: fields, body: textOfMessages(Buffer.concat(pieces)), durationMs });
      });
      stream.end(grpcMessage(body));
    });
  }

  close(): void {
    for (const session of this.#sessions.values()) session.destroy();
  }

  #session(localAddress = '127.0.0.1'): ClientHttp2Session {
    const known = this.#sessions.get(localAddress);
    if (known !== undefined && !known.closed && !known.destroyed) return known;
    const { host, port } = this;
    const session = connect(`http://${host}:${port}`, {
      createConnection: () => connectTcp({ host, port, localAddress }),
    });
    session.on('error', () => undefined);
    this.#sessions.set(localAddress, session);
    return session;
  }
}

/** Adds fields; those of one name are joined. */
function keep(fields: Record<string, string>, more: IncomingHttpHeaders): void {
  for (const [name, value] of Object.entries(more)) {
    if (!name.startsWith(':') && value !== undefined) fields[name] = Array.isArray(value) ? value.join(', ') : value;
  }
}
