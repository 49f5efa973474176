import { EventEmitter } from 'node:events';
import type { ClientRequest } from 'node:http';
import type { Extension } from './library.js';

/**
 * Goes with one request through the library: cancels it, tells what was cancelled, and adds what the library has no options for.
 */
export class CallContext extends EventEmitter {
  /** Makes the library hand over the answer itself besides its body. */
  readonly includeResponse = true;
  /** The connection was an old one and ended before an answer began: the agent may not have seen the request. */
  wasDropped = false;
  /** Why the answer was not read to its end. */
  failure: string | undefined;

  constructor(
    readonly query: Readonly<Record<string, string>>,
    readonly headers: Readonly<Record<string, string>>,
    /** Members of the body that the library leaves out. */
    readonly body: Readonly<Record<string, unknown>>,
    readonly maxBytes: number,
  ) {
    super();
  }

  /** Ends the request and its connection. */
  cancel(): void {
    this.emit('cancel');
  }
}

/** Completes a request before the library puts it together. */
export const completeRequest: Extension = (request, next) => {
  const { opts } = request;
  if (opts.ctx instanceof CallContext) {
    opts.query = { ...opts.query, ...opts.ctx.query };
    opts.headers = { ...opts.headers, ...opts.ctx.headers };
    if (Object.keys(opts.ctx.body).length > 0) opts.body = { ...(opts.body as object), ...opts.ctx.body };
  }
  // Thousands of instances are not to be parsed in one go, and what is no JSON is not to be taken for an empty answer.
  opts.buffer = true;
  next();
};

/** Watches over the answer: the library collects without a bound, and waits for ever for the rest of one that broke off. */
export const guardAnswer: Extension = (request, next) => {
  const { transport, opts } = request;
  const { ctx } = opts;
  if (transport !== undefined && ctx instanceof CallContext) {
    request.transport = {
      request: (options) => {
        const sent = transport.request(options);
        guard(sent, ctx);
        return sent;
      },
    };
  }
  next();
};

function guard(sent: ClientRequest, ctx: CallContext): void {
  let isAnswered = false;
  sent.on('error', () => (ctx.wasDropped = sent.reusedSocket && !isAnswered));
  sent.on('response', (answer) => {
    isAnswered = true;
    let size = 0;
    answer.on('data', (piece: Buffer) => {
      size += piece.length;
      if (size <= ctx.maxBytes || ctx.failure !== undefined) return;
      ctx.failure = `an answer of more than ${ctx.maxBytes} bytes`;
      ctx.cancel();
    });
    answer.on('error', () => {
      ctx.failure ??= 'an answer that broke off';
      ctx.cancel();
    });
  });
}
