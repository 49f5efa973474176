import assert from 'node:assert/strict';
import type { Agent, IncomingMessage, RequestListener, RequestOptions, Server } from 'node:http';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fakePorts, type FakeTime } from '@mesher/core/testing';
import {
  RawClient,
  startProxy,
  startRawUpstream,
  type ProxyHarness,
  type ProxyHarnessOptions,
  type RawPeer,
  type RawUpstream,
} from './proxy-harness.js';

/** Turns of the event loop without any change after which everything that was on its way is taken to have arrived. */
const QUIET_TURNS = 50;
/** Turns of the event loop after which a wait is in vain: without an end it would keep the process busy after its test has failed. */
const MAX_TURNS = 1_000_000;
/** A tick of the timer wheel and its rounding: a timeout has passed for certain after it and this. */
const WHEEL_SLACK_MS = 150;
/** Less than what peers have to answer by default. */
const SLOW_STEP_MS = 5000;

/** A real answer of a node:http client. */
export interface NodeAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly rawHeaders: readonly string[];
  readonly trailers: readonly string[];
  readonly body: Buffer;
}

/**
 * One test's proxy and its real peers. Time stands still unless the test moves it. After the test, everything is closed and checked:
 * each call ended exactly once, every socket of the proxy closed, no timer left.
 */
export class ProxyRig {
  readonly #ports = fakePorts();
  readonly #proxies: ProxyHarness[] = [];
  readonly #upstreams: RawUpstream[] = [];
  readonly #clients: RawPeer[] = [];
  readonly #servers: Server[] = [];
  readonly #closers: (() => void | Promise<void>)[] = [];
  readonly #socketsBefore = openSockets();

  get time(): FakeTime {
    return this.#ports.time;
  }

  /** Moves time past a timeout. */
  pass(timeoutMs: number): void {
    this.time.advance(timeoutMs + WHEEL_SLACK_MS);
  }

  /** Moves time past a long timeout, little by little, so that peers answer meanwhile what they are asked (PING of HTTP/2). */
  async passSlowly(timeoutMs: number): Promise<void> {
    for (let left = timeoutMs + WHEEL_SLACK_MS; left > 0; left -= SLOW_STEP_MS) {
      await settleSockets();
      this.time.advance(Math.min(left, SLOW_STEP_MS));
    }
  }

  async proxy(settings: ProxyHarnessOptions): Promise<ProxyHarness> {
    const harness = await startProxy({ ports: this.#ports, ...settings });
    this.#proxies.push(harness);
    return harness;
  }

  /** A server that does with each connection what the test says, byte by byte. */
  async upstream(onConnection?: (peer: RawPeer, index: number) => void): Promise<RawUpstream> {
    const upstream = await startRawUpstream(onConnection);
    this.#upstreams.push(upstream);
    return upstream;
  }

  /** A raw upstream and a proxy in front of it. */
  async pair(
    onConnection?: (peer: RawPeer, index: number) => void,
    settings: Omit<ProxyHarnessOptions, 'upstreamPort'> = {},
  ): Promise<{ readonly upstream: RawUpstream; readonly proxy: ProxyHarness }> {
    const upstream = await this.upstream(onConnection);
    return { upstream, proxy: await this.proxy({ ...settings, upstreamPort: upstream.port }) };
  }

  /** A connection to a proxy, or to any port. */
  async connect(to: ProxyHarness | number, host = '127.0.0.1'): Promise<RawClient> {
    const client = await RawClient.connect(typeof to === 'number' ? to : to.port, host);
    this.#clients.push(client);
    return client;
  }

  /** Connects and sends. */
  async send(to: ProxyHarness | number, bytes: string | Uint8Array): Promise<RawClient> {
    const client = await this.connect(to);
    client.write(bytes);
    return client;
  }

  /** A real node:http server. */
  async nodeServer(listener: RequestListener): Promise<Server & { readonly port: number }> {
    const server = createServer({ keepAliveTimeout: 0 }, listener);
    this.#servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return Object.assign(server, { port: (server.address() as AddressInfo).port });
  }

  /** Sends a request with the real node:http client and reads the whole answer. */
  nodeRequest(
    to: ProxyHarness,
    options: RequestOptions & { readonly agent?: Agent },
    body?: string,
  ): Promise<NodeAnswer> {
    return new Promise((resolve, reject) => {
      const outgoing = request({ host: '127.0.0.1', port: to.port, agent: false, ...options }, (answer) => {
        const pieces: Buffer[] = [];
        answer.on('data', (piece: Buffer) => pieces.push(piece));
        answer.on('error', reject);
        answer.on('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            headers: answer.headers,
            rawHeaders: answer.rawHeaders,
            trailers: answer.rawTrailers,
            body: Buffer.concat(pieces),
          }),
        );
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }

  /** Has a peer that the rig does not know closed with everything else, after the proxies and before the checks. */
  atEnd(close: () => void | Promise<void>): void {
    this.#closers.push(close);
  }

  /** Closes everything and checks that nothing is left. */
  async close(): Promise<void> {
    for (const { proxy } of this.#proxies) proxy.close();
    const peers = [...this.#clients, ...this.#upstreams.flatMap(({ connections }) => connections)];
    for (const peer of peers) {
      // A peer that was told not to read must, to see that the proxy has closed.
      peer.socket.resume();
      await peer.awaitEnd();
      peer.destroy();
    }
    for (const upstream of this.#upstreams) await upstream.close();
    for (const close of this.#closers) await close();
    for (const server of this.#servers) {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    }
    for (const { proxy, ends } of this.#proxies) {
      await until(() => proxy.stats.connectionsOpen === 0 && proxy.stats.upstreamOpen === 0);
      assert.equal([...proxy.pools].length, 0, 'pools left');
      assert.equal([...proxy.streamPools].length, 0, 'pools of streams left');
      assert.equal(proxy.stats.upstreamIdle, 0, 'idle upstream connections left');
      assert.equal(proxy.stats.mirrorsOpen, 0, 'copies left');
      assert.deepEqual([...new Set(ends.values())], ends.size === 0 ? [] : [1], 'how often calls ended');
    }
    assert.equal(this.time.pendingTimers, 0, 'timers left');
    await until(() => openSockets() <= this.#socketsBefore);
  }
}

/** Gives each test of the present suite a rig of its own, and closes it afterwards. */
export function useProxyRig(): () => ProxyRig {
  let rig: ProxyRig | undefined;
  beforeEach(() => {
    rig = new ProxyRig();
  });
  afterEach(async () => {
    await rig?.close();
    rig = undefined;
  });
  return () => {
    if (rig === undefined) throw new Error('the rig exists within tests only');
    return rig;
  };
}

/**
 * Waits, turn by turn of the event loop, until the condition holds.
 * @throws Error when that does not happen
 */
export async function until(condition: () => boolean): Promise<void> {
  for (let turns = 0; !condition(); turns++) {
    if (turns === MAX_TURNS) throw new Error(`waited in vain for ${condition.toString()}`);
    await turn();
  }
}

/** Waits until `measure` has not changed for so long that everything on its way between sockets of this process has arrived. */
export async function untilStill(measure: () => number): Promise<number> {
  let last = measure();
  for (let quiet = 0; quiet < QUIET_TURNS; quiet++) {
    await turn();
    const now = measure();
    if (now !== last) quiet = 0;
    last = now;
  }
  return last;
}

/** Lets what has been sent arrive, where the test has nothing to count. */
export async function settleSockets(): Promise<void> {
  await untilStill(() => 0);
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Connections and listening sockets of this process. */
function openSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP')).length;
}
