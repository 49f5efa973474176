import { Endpoint, type CallHandler } from '@mesher/core';
import { expect } from 'chai';
import { fuzzSettings } from '../testing/framing/fuzz-settings.js';
import type { RawClient, RawPeer } from '../testing/proxy-harness.js';
import { settleSockets, until, useProxyRig } from '../testing/proxy-rig.js';
import type { TransparentRoute } from './transparent-spec.js';

const settings = fuzzSettings(4);
const CONNECTIONS = 25;
const STEPS = 150;

/** What either side may say: whole messages of several protocols, and pieces of them. */
const WORDS: readonly string[] = [
  'G',
  'GET / HTTP/1.1\r\nHost: ',
  'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: named\r\nContent-Length: 9\r\n\r\nGET',
  'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
  'GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0',
  '\0\0\0\x04\0\0\0\0\0',
  '\x16\x03\x01\x00\x05\x01\0\0\x01\x03',
  '\x16\x03\x01\x02\x00\x01\0\x01\xfc\x03\x03',
  '\0binary',
  'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n',
  'HTTP/1.1 200 OK\r\n\r\nuntil the end',
  '\r\n',
  'x'.repeat(200_000),
];

/** Numbers below `limit`, the same ones for each seed (Park and Miller). */
function numbers(seed: number): (limit: number) => number {
  let state = (seed % 2_147_483_646) + 1;
  return (limit) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % limit;
  };
}

/** Where connections go that rules have brought. */
const ROUTES: Readonly<Record<string, (handler: CallHandler) => Partial<TransparentRoute>>> = {
  'are passed on': () => ({}),
  'are observed': (handler) => ({ observed: handler }),
  'are observed or served by the name that they say': (handler) => ({
    observed: handler,
    http2: { handler, verdict: 'passed' },
    byName: (host) => (host === 'named' ? { handler, verdict: 'mesh' } : undefined),
  }),
  'are served': (handler) => ({ http: { handler, verdict: 'mesh' } }),
  'find nobody there': (handler) => ({
    handler: { ...handler, begin: (call) => (void handler.begin(call), new Endpoint('127.0.0.1', 1)) },
    observed: handler,
  }),
};

describe(`intercepted connections that end in any way (${settings.title})`, () => {
  const rig = useProxyRig();

  for (const [what, route] of Object.entries(ROUTES)) {
    it(`leave nothing behind when they ${what}`, async () => {
      for (let run = 0; run < settings.runs; run++) await conversation(numbers(settings.seed + run), route);
    });
  }

  async function conversation(random: (limit: number) => number, route: (typeof ROUTES)[string]): Promise<void> {
    const upstream = await rig().upstream();
    const original = { address: '127.0.0.1', port: upstream.port };
    const harness = await rig().proxy({
      upstreamPort: upstream.port,
      transparent: (handler) => ({
        find: () => ({ kind: 'intercepted', ...original }),
        isOwnAddress: () => false,
        opaquePorts: new Set(),
        httpPorts: new Set(),
        route: () => ({ handler, verdict: 'passed', ...route(handler) }),
      }),
    });
    const { ends, proxy } = harness;
    const clients: RawClient[] = [];
    for (let step = 0; step < STEPS; step++) {
      if (clients.length < CONNECTIONS && random(3) === 0) {
        // It may be reset before the client knows that it is connected.
        const client = await rig()
          .connect(harness)
          .catch(() => undefined);
        if (client !== undefined) clients.push(client);
      }
      const all: RawPeer[] = [...clients, ...upstream.connections];
      const one = all[random(all.length)];
      if (one !== undefined) act(one, random);
      if (random(8) === 0) await settleSockets();
      if (random(15) === 0) rig().pass(random(12_000));
    }
    for (const peer of [...clients, ...upstream.connections]) leave(peer, random(3));
    await settleSockets();
    for (const peer of upstream.connections) peer.destroy();
    rig().pass(10_000);
    await until(() => proxy.stats.connectionsOpen === 0 && proxy.stats.upstreamOpen === 0);
    expect([...ends.values()].every((count) => count === 1)).to.equal(true);
    expect(proxy.stats.transparent.of({}), 'each connection is counted once').to.equal(proxy.stats.connectionsAccepted);
  }

  function act(peer: RawPeer, random: (limit: number) => number): void {
    if (peer.socket.destroyed) return;
    const what = random(20);
    if (what === 0) leave(peer, random(3));
    else if (what === 1) peer.socket.pause();
    else if (what === 2) peer.socket.resume();
    else if (what === 3) peer.end();
    else if (peer.socket.writable) peer.write(Buffer.from(WORDS[random(WORDS.length)], 'latin1'));
  }

  function leave(peer: RawPeer, how: number): void {
    // libuv refuses a reset while an end is under way.
    if (how === 0 && !peer.socket.writableEnded) peer.reset();
    else if (how === 1) peer.destroy();
    else {
      peer.socket.resume();
      if (peer.socket.writable) peer.end();
    }
  }
});
