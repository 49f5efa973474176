import { expect } from 'chai';
import { noRegistry } from './no-registry.js';

describe('no registry', () => {
  it('says of every service that it does not exist, and then nothing more until it is told to stop', async () => {
    const stop = new AbortController();
    const watch = noRegistry().discovery.watch({ service: 'world' }, stop.signal)[Symbol.asyncIterator]();
    const first = await watch.next();
    expect(first.value).to.deep.include({ service: 'world', exists: false, instances: [] });
    const next = watch.next();
    stop.abort();
    expect(await next).to.deep.equal({ done: true, value: undefined });
  });

  it('ends a watch that was stopped before it could wait', async () => {
    const stop = new AbortController();
    const watch = noRegistry().discovery.watch({ service: 'world' }, stop.signal)[Symbol.asyncIterator]();
    await watch.next();
    stop.abort();
    expect((await watch.next()).done).to.equal(true);
  });

  it('takes no registrations, lists nothing, and is never in trouble', async () => {
    const { discovery, registrator } = noRegistry();
    expect(registrator).to.equal(undefined);
    expect(discovery.watchAll).to.equal(undefined);
    expect(discovery.state()).to.include({ freshness: 'fresh', lastError: undefined });
    await discovery.close();
  });
});
