import { expect } from 'chai';
import { Herd, type Purpose } from '../testing/herd/herd.js';
import { histogram, perSecond, spreadOf } from '../testing/herd/spread.js';

const CLIENTS = 200;
const SEED = 1;
/** What was asked for: nobody may be back sooner than this after the first. */
const LEAST_SPREAD_MS = 10_000;
/** Real sockets of 200 clients, some thousand requests. */
const TIMEOUT_MS = 120_000;

describe('fault 12 (thundering herd): 200 clients of a service-center', () => {
  let herd: Herd;

  afterEach(async function () {
    this.timeout(TIMEOUT_MS);
    await herd.close();
  });

  /** Asks whether arrivals after `begin` are spread over more than ten seconds, and none of these stands out. */
  function expectSpread(purpose: Purpose, begin: number): void {
    const times = herd.arrivals.filter((one) => one.purpose === purpose && one.at >= begin).map(({ at }) => at);
    const { count, durationMs, mostPerSecond } = spreadOf(times);
    const shown = `${purpose}:\n${histogram(perSecond(times, begin, 35))}\n`;
    expect(count, shown).to.be.at.least(CLIENTS);
    expect(durationMs, shown).to.be.at.least(LEAST_SPREAD_MS);
    // All at once would be 200; evenly over ten seconds 20 in each.
    expect(mostPerSecond, shown).to.be.at.most(CLIENTS / 4);
  }

  it('drift apart, and come back spread over more than 10 s when it is there again at once, and after half a minute', async function () {
    this.timeout(TIMEOUT_MS);
    herd = await Herd.gather({ clients: CLIENTS, seed: SEED });
    let begin = herd.time.now();
    await herd.pass(37_000);
    // All of them began in the same moment.
    for (const purpose of ['find', 'heartbeat'] as const) expectSpread(purpose, begin);
    await herd.goDown();
    await herd.comeBack();
    begin = herd.time.now();
    await herd.pass(20_000);
    expect(herd.watching).to.equal(CLIENTS);
    expectSpread('watch', begin);
    expectSpread('find', begin);
    await herd.goDown();
    await herd.pass(31_000);
    await herd.comeBack();
    begin = herd.time.now();
    await herd.pass(32_000);
    expect(herd.watching).to.equal(CLIENTS);
    for (const purpose of ['watch', 'find', 'heartbeat'] as const) expectSpread(purpose, begin);
  });

  it('come back spread over more than 10 s with heartbeats over WebSockets', async function () {
    this.timeout(TIMEOUT_MS);
    const yaml = 'servicecomb.registry.heartbeat.mode: ping-pong\n';
    herd = await Herd.gather({ clients: CLIENTS, seed: SEED, yaml });
    await herd.goDown();
    await herd.comeBack();
    const begin = herd.time.now();
    await herd.pass(32_000);
    expect([herd.watching, herd.center.heartbeats.count]).to.deep.equal([CLIENTS, CLIENTS]);
    expectSpread('heartbeat by websocket', begin);
    // Requests until then: of those for whom it takes longest.
    const requests = herd.arrivals.filter(({ purpose }) => purpose === 'heartbeat').map(({ at }) => at);
    expect(spreadOf(requests).mostPerSecond).to.be.at.most(CLIENTS / 4);
  });
});
