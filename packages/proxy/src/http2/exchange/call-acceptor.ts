import type { CallHandler, Destination, Direction, SourceIdentity, SourceResolver } from '@mesher/core';
import type { Environment } from '../../environment.js';
import type { RequestReceiver } from '../connection/stream-users.js';
import type { HeaderBlock } from '../hpack/header-block.js';
import type { ServerStream } from '../server/server-stream.js';
import type { StreamAcceptor } from '../server/stream-acceptor.js';
import { Http2Call, type CallOrigin } from './http2-call.js';
import { Http2Exchange } from './http2-exchange.js';

/** What a listener knows of the calls that come through it. */
export interface CallContext {
  readonly handler: CallHandler;
  readonly sources: readonly SourceResolver[];
  /** Service that every call of this listener is for, whatever its `:authority` says. */
  readonly destination: Destination | undefined;
  /** Neither requests nor answers get fields that tell of this hop, or lose any. */
  readonly isTransparent: boolean;
}

/** Makes calls of the streams of one client. */
export class CallAcceptor implements StreamAcceptor, CallOrigin {
  constructor(
    private readonly context: CallContext,
    readonly remoteAddress: string,
    private readonly env: Environment,
  ) {}

  get direction(): Direction {
    return this.context.handler.direction;
  }

  get isTransparent(): boolean {
    return this.context.isTransparent;
  }

  identify(call: Http2Call): SourceIdentity | undefined {
    for (const resolver of this.context.sources) {
      const source = resolver.identify(call);
      if (source !== undefined) return source;
    }
    return undefined;
  }

  accept(stream: ServerStream, head: HeaderBlock, endStream: boolean): RequestReceiver {
    const { env } = this;
    const { handler, destination } = this.context;
    const call = new Http2Call(this, head, env);
    call.startedAt = env.now();
    call.destination = destination;
    if (!this.isTransparent) env.forwarding.apply(call, '2.0');
    const exchange = new Http2Exchange(call, stream, handler, env);
    exchange.start(endStream);
    return exchange;
  }
}
