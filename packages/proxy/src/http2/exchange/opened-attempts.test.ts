import { Endpoint, Rejection, silentLogger, type AttemptFailure, type CallHandler, type Outcome } from '@mesher/core';
import { fakePorts } from '@mesher/core/testing';
import { expect } from 'chai';
import { Deadlines } from '../../deadlines.js';
import { Environment } from '../../environment.js';
import { DEFAULT_PROXY_OPTIONS } from '../../options.js';
import { ProxyStats } from '../../stats.js';
import type { UpstreamAttempt } from '../connection/attempt-stream.js';
import type { AnswerReceiver } from '../connection/stream-users.js';
import { HeaderBlock } from '../hpack/header-block.js';
import { HeaderField } from '../hpack/header-field.js';
import type { ServerStream } from '../server/server-stream.js';
import type { StreamPools } from '../upstream/stream-pools.js';
import { Http2Call } from './http2-call.js';
import { Http2Exchange } from './http2-exchange.js';

const LOST: AttemptFailure = { code: 'MESH_ERR_CONNECT', message: 'lost', sent: false, reusedConnection: false };
const BODY = Buffer.from('body');

/** Records what is done to it. */
class FakeAttempt implements UpstreamAttempt {
  readonly queuedBytes = 0;
  readonly isBegun = true;
  readonly isConnecting = false;
  readonly done: string[] = [];

  constructor(private readonly onData: () => void = () => undefined) {}

  data(buffer: Buffer, start: number, end: number, endStream: boolean): void {
    this.done.push(`data ${buffer.toString('latin1', start, end)}${endStream ? ' end' : ''}`);
    this.onData();
  }

  trailers(): void {
    this.done.push('trailers');
  }

  consumed(): void {
    this.done.push('consumed');
  }

  cancel(code: number): void {
    this.done.push(`cancel ${code}`);
  }
}

describe('an attempt that breaks while it is being opened', () => {
  const endpoint = new Endpoint('127.0.0.1', 1, undefined, 1, undefined, 'http2');

  /** An exchange whose attempts are what `open` makes of them; the first call of its handler goes to the endpoint, as all others do. */
  function exchangeWith(
    open: (receiver: AnswerReceiver, count: number) => UpstreamAttempt,
    again: CallHandler['again'] = (call, failure) =>
      call.attempts < 3 ? endpoint : new Rejection(failure.code, failure.message),
    own: Partial<CallHandler> = {},
  ): {
    readonly exchange: Http2Exchange;
    readonly replies: string[];
    readonly outcomes: Outcome[];
    readonly endTurn: () => void;
  } {
    const { clock, timers, random } = fakePorts();
    const deadlines = new Deadlines(clock, timers);
    const env = new Environment(DEFAULT_PROXY_OPTIONS, deadlines, new ProxyStats(), silentLogger(), random, () => 0);
    let opened = 0;
    env.streamPools = {
      of: () => ({ isFull: false, open: (receiver: AnswerReceiver) => open(receiver, ++opened) }),
    } as unknown as StreamPools;
    const replies: string[] = [];
    const stream = {
      arm: () => undefined,
      consumed: () => undefined,
      data: () => undefined,
      refuseRest: () => undefined,
      reset: (code: number) => replies.push(`reset ${code}`),
      head: ({ block }: { readonly block: HeaderBlock }) => replies.push(`head ${block.first(':status')}`),
    } as unknown as ServerStream;
    const outcomes: Outcome[] = [];
    const handler: CallHandler = {
      direction: 'outbound',
      begin: () => endpoint,
      again,
      connected: () => undefined,
      end: (_call, outcome) => void outcomes.push(outcome),
      ...own,
    };
    const block = HeaderBlock.of(
      [
        [':method', 'POST'],
        [':scheme', 'http'],
        [':path', '/'],
        [':authority', 'a'],
        ['content-type', 'application/grpc'],
      ].map(([name, value]) => new HeaderField(name, value)),
    );
    const call = new Http2Call(
      { direction: 'outbound', remoteAddress: '', isTransparent: false, identify: () => undefined },
      block,
      env,
    );
    return {
      exchange: new Http2Exchange(call, stream, handler, env),
      replies,
      outcomes,
      endTurn: () => env.outputPool.flushAll(),
    };
  }

  it('gives way to the next one, which gets the whole request', () => {
    const attempts: FakeAttempt[] = [];
    const { exchange, replies } = exchangeWith((receiver, count) => {
      const attempt = new FakeAttempt();
      attempts.push(attempt);
      if (count === 1) receiver.onAttemptFailed(LOST, 2);
      return attempt;
    });
    exchange.start(false);
    exchange.onRequestData(BODY, 0, BODY.length, true);
    // In the order in which they were opened: the second one stands before the first has returned.
    expect(attempts.map(({ done }) => done)).to.deep.equal([['cancel 8'], ['data body end']]);
    expect(replies).to.deep.equal([]);
  });

  it('is answered for once, when no other one can be made', () => {
    const { exchange, replies, outcomes } = exchangeWith((receiver) => {
      receiver.onAttemptFailed(LOST, 2);
      return new FakeAttempt();
    });
    exchange.start(true);
    expect(replies).to.deep.equal(['head 200']);
    expect(outcomes.map(({ code }) => code)).to.deep.equal(['MESH_ERR_CONNECT']);
  });

  it('is not taken for the present one while the handler still thinks about the next', async () => {
    const attempts: FakeAttempt[] = [];
    let decide: (() => void) | undefined;
    const { exchange } = exchangeWith(
      (receiver, count) => {
        const attempt = new FakeAttempt();
        attempts.push(attempt);
        if (count === 1) receiver.onAttemptFailed(LOST, 2);
        return attempt;
      },
      () => new Promise((resolve) => (decide = () => resolve(endpoint))),
    );
    exchange.start(false);
    exchange.onRequestData(BODY, 0, BODY.length, true);
    expect(attempts.map(({ done }) => done)).to.deep.equal([['cancel 8']]);
    decide?.();
    await Promise.resolve();
    await Promise.resolve();
    expect(attempts[1].done).to.deep.equal(['data body end']);
  });

  it('or right after it, while what was kept is sent, loses nothing of it', () => {
    const attempts: FakeAttempt[] = [];
    let fails = true;
    const { exchange } = exchangeWith((receiver) => {
      const attempt = new FakeAttempt(() => {
        if (!fails) return;
        fails = false;
        receiver.onAttemptFailed(LOST, 2);
      });
      attempts.push(attempt);
      return attempt;
    });
    exchange.start(false);
    exchange.onRequestData(BODY, 0, BODY.length, false);
    exchange.onRequestData(BODY, 0, BODY.length, true);
    expect(attempts.map(({ done }) => done)).to.deep.equal([['data body'], ['data body', 'data body end']]);
  });

  it('beside another one has no say any more when its call is over before its head could be judged', () => {
    const receivers: AnswerReceiver[] = [];
    const judged: number[] = [];
    const { exchange, replies, outcomes, endTurn } = exchangeWith(
      (receiver) => {
        receivers.push(receiver);
        return new FakeAttempt();
      },
      undefined,
      {
        begin: (call) => {
          call.hedgeAfter = 0;
          call.watchesAnswer = true;
          return endpoint;
        },
        hedge: () => new Endpoint('127.0.0.1', 2, undefined, 1, undefined, 'http2'),
        answered: (_call, { status }) => void judged.push(status),
      },
    );
    exchange.start(true);
    exchange.onTimeout();
    const [first, second] = receivers;
    second.onAnswerHead(HeaderBlock.of([new HeaderField(':status', '200')]), false);
    first.onAttemptFailed(LOST, 2);
    exchange.onClientGone();
    endTurn();
    endTurn();
    expect([judged, replies, outcomes.length]).to.deep.equal([[], [], 1]);
  });
});
