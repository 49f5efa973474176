import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { Endpoint, Rejection, silentLogger, type ErrorCode } from '@mesher/core';
import { fakePorts, type FakeTime } from '@mesher/core/testing';
import { Deadlines } from '../../deadlines.js';
import { Environment } from '../../environment.js';
import { DEFAULT_PROXY_OPTIONS, type ProxyOptions } from '../../options.js';
import { ProxyStats } from '../../stats.js';
import { until } from '../../testing/proxy-rig.js';
import type { UpstreamAttempt } from '../connection/attempt-stream.js';
import { HeaderBlock } from '../hpack/header-block.js';
import { HeaderField } from '../hpack/header-field.js';
import type { Http2Limits } from '../limits.js';
import type { StreamPool } from '../upstream/stream-pool.js';
import { StreamPools } from '../upstream/stream-pools.js';
import { RawSession } from './raw-session.js';
import { RecordedAnswer } from './recorded-answer.js';

/** A tick of the timer wheel and its rounding: a timeout has passed for certain after it and this. */
const WHEEL_SLACK_MS = 150;

export type Settings = readonly (readonly [id: number, value: number])[];

/** One request to an instance, and what became of it. */
export interface Sent {
  readonly attempt: UpstreamAttempt;
  readonly answer: RecordedAnswer;
}

/** The pool has no place for a request. */
export class RefusedError extends Error {
  constructor(readonly code: ErrorCode) {
    super(`refused: ${code}`);
  }
}

/** An instance that says what the test wants it to say. */
export interface RawInstance {
  readonly port: number;
  /** Connections in the order in which they were made. */
  readonly sessions: RawSession[];
  /** Takes no further connections; those that there are stay. */
  refuse(): Promise<void>;
  close(): Promise<void>;
}

/** The head of a request or an answer. */
export function blockOf(...fields: readonly (readonly [name: string, value: string])[]): HeaderBlock {
  return HeaderBlock.of(fields.map(([name, value]) => new HeaderField(name, value)));
}

export function requestOf(path: string, method = 'GET', ...more: readonly (readonly [string, string])[]): HeaderBlock {
  return blockOf([':method', method], [':scheme', 'http'], [':path', path], [':authority', 'shop'], ...more);
}

export const OK: HeaderBlock = blockOf([':status', '200']);

/** @param onSession called for each connection, before anything of it was read */
export async function startRawInstance(
  onSession: (session: RawSession, index: number) => void,
  settings?: Settings,
  port = 0,
): Promise<RawInstance> {
  const sessions: RawSession[] = [];
  const server: Server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => undefined);
    const session = new RawSession(socket, true, 4096, settings);
    sessions.push(session);
    onSession(session, sessions.length - 1);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    sessions,
    refuse(): Promise<void> {
      server.close();
      return until(() => !server.listening);
    },
    async close(): Promise<void> {
      for (const { socket } of sessions) socket.destroy();
      const closed = new Promise((resolve) => server.close(resolve));
      await closed;
    },
  };
}

/** The client role of HTTP/2 without the rest of a proxy. Time stands still unless the test moves it. */
export class UpstreamRig {
  readonly stats = new ProxyStats();
  readonly env: Environment;
  /** How often an endpoint was reached anew. */
  reached = 0;
  readonly #ports = fakePorts();
  readonly #instances: RawInstance[] = [];
  readonly #sent: Sent[] = [];

  constructor(limits: Partial<Http2Limits> = {}, options: Partial<ProxyOptions> = {}) {
    const { clock, timers, random } = this.#ports;
    const http2 = { ...DEFAULT_PROXY_OPTIONS.http2, ...limits };
    this.env = new Environment(
      { ...DEFAULT_PROXY_OPTIONS, ...options, http2 },
      new Deadlines(clock, timers),
      this.stats,
      silentLogger(),
      random,
      () => clock.now(),
    );
    this.env.streamPools = new StreamPools(this.env, () => void this.reached++);
  }

  get time(): FakeTime {
    return this.#ports.time;
  }

  /** Moves time past a timeout. */
  pass(timeoutMs: number): void {
    this.time.advance(timeoutMs + WHEEL_SLACK_MS);
  }

  async instance(
    onSession: (session: RawSession, index: number) => void = () => undefined,
    settings?: Settings,
    port?: number,
  ): Promise<RawInstance> {
    const instance = await startRawInstance(onSession, settings, port);
    this.#instances.push(instance);
    return instance;
  }

  pool(endpoint: Endpoint): StreamPool {
    return this.env.streamPools.of(endpoint);
  }

  endpoint({ port }: { readonly port: number }): Endpoint {
    return new Endpoint('127.0.0.1', port, undefined, 1, undefined, 'http2');
  }

  /** @throws RefusedError when the pool has no place for it */
  send(endpoint: Endpoint, block: HeaderBlock = requestOf('/'), endStream = true): Sent {
    const answer = new RecordedAnswer();
    const attempt = this.pool(endpoint).open(answer, { block, edits: undefined, added: undefined }, endStream);
    if (attempt instanceof Rejection) throw new RefusedError(attempt.code);
    answer.takes = (bytes): void => attempt.consumed(bytes);
    const sent = { attempt, answer };
    this.#sent.push(sent);
    return sent;
  }

  /** Waits until all requests so far are over. */
  async untilOver(sent: readonly Sent[] = this.#sent): Promise<void> {
    await until(() => sent.every(({ answer }) => answer.ends > 0));
  }

  /** Closes everything. @returns what is left and should not be */
  async close(): Promise<string[]> {
    this.env.streamPools.closeAll();
    for (const instance of this.#instances) await instance.close();
    await until(() => this.stats.upstreamOpen === 0);
    this.env.deadlines.close();
    const { connecting, open, draining, streams, waiting } = this.stats.http2Upstream;
    const left = Object.entries({ connecting, open, draining, streams, waiting }).filter(([, count]) => count !== 0);
    if ([...this.env.streamPools].length > 0) left.push(['pools', 1]);
    if (this.#sent.some(({ answer }) => answer.ends > 1)) left.push(['attempts with two ends', 1]);
    return left.map(([name, count]) => `${count} ${name}`);
  }
}

/** Gives each test of the present suite a rig of its own, and checks afterwards that nothing is left of it. */
export function useUpstreamRig(): (limits?: Partial<Http2Limits>, options?: Partial<ProxyOptions>) => UpstreamRig {
  let rig: UpstreamRig | undefined;
  afterEach(async () => {
    const left = (await rig?.close()) ?? [];
    rig = undefined;
    if (left.length > 0) throw new Error(`left: ${left.join(', ')}`);
  });
  return (limits, options) => (rig = new UpstreamRig(limits, options));
}

/** Answers each request of a connection at once, without a body. */
export function answerAll(session: RawSession): void {
  session.onBlock = (streamId) => session.writer.headers(streamId, OK, true);
}
