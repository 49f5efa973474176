import { expect } from 'chai';
import { FaultProxy, LeakCheck, type Holdings } from '@mesher/core/testing';
import { RegistryRig } from '../client/testing/registry-rig.js';
import { ConsulServer } from '../testing/index.js';

const RECONNECTS = 1_000;
/** Compared in parts: what the engine learns in one of them it need not learn in the next, but a leak is in all of them. */
const PARTS = 5;
/** Idle connections and the like come and go; what leaks does so a thousand times. */
const SLACK = 12;
/** The engine keeps some hundred bytes of code for each of the first ones; a connection that is kept takes several thousand. */
const SLACK_BYTES_EACH = 1_000;
const TIMEOUT_MS = 120_000;

describe('fault 18 (leaks): a thousand reconnects of blocking queries', function () {
  this.timeout(TIMEOUT_MS);

  let consul: ConsulServer;
  let proxy: FaultProxy;
  let check: LeakCheck;
  let rig: RegistryRig | undefined;

  beforeEach(async () => {
    consul = await ConsulServer.start();
    consul.seed({ Name: 'world', ID: 'a', Address: '10.0.0.1', Port: 8080 });
    proxy = await FaultProxy.start({ port: consul.port });
    check = new LeakCheck();
  });

  afterEach(async () => {
    await rig?.close();
    await proxy.close();
    await consul.close();
    check.close();
  });

  /** Without what the log and the server of the test remember. */
  async function take(): Promise<Holdings> {
    rig?.logger.lines.splice(0);
    (consul.asked as unknown[]).splice(0);
    return await check.take();
  }

  it('leave nothing behind', async () => {
    const options = { minInterval: 1, minRetryDelay: 1, maxRetryDelay: 1 };
    rig = await RegistryRig.open({ address: proxy.url, options, ports: check.ports });
    await rig.watch('world').next();
    await consul.untilHeld(1);
    const held: Holdings[] = [];
    const each = RECONNECTS / PARTS;
    // The first part is for whatever is loaded late, and for pools to fill.
    for (let round = 0; round < RECONNECTS; round++) {
      const { accepted } = proxy.counts;
      proxy.cut('reset');
      await proxy.until((counts) => counts.accepted > accepted);
      await consul.untilHeld(1);
      if ((round + 1) % each === 0) held.push(await take());
    }
    const grown = (of: (holdings: Holdings) => number): readonly number[] =>
      held.slice(1).map((holdings, index) => of(holdings) - of(held[index] as Holdings));
    expect(check.warnings).to.deep.equal([]);
    expect(Math.min(...grown(({ descriptors = 0 }) => descriptors)), 'descriptors').to.be.at.most(SLACK);
    expect(Math.min(...grown(({ timers }) => timers)), 'timers').to.be.at.most(SLACK);
    expect(Math.min(...grown(({ heapBytes }) => heapBytes)), 'bytes').to.be.at.most(each * SLACK_BYTES_EACH);
  });
});
