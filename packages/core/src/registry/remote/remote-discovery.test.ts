import { expect } from 'chai';
import { fakePorts } from '../../testing/index.js';
import type { RegistryState } from '../contracts.js';
import { ChangeSignal } from './change-signal.js';
import { RemoteDiscovery, type RemoteDiscoveryParts, type RemoteService } from './remote-discovery.js';

describe('finding services in a registry on the network', () => {
  const { signal } = new AbortController();
  let state: RegistryState;
  let trouble: Error | undefined;

  beforeEach(() => {
    state = { freshness: 'never', lastSuccessAt: undefined, lastError: undefined, problems: ['of the finder'] };
    trouble = new Error('nobody listens');
  });

  function open(parts: Partial<RemoteDiscoveryParts<RemoteService>> = {}): RemoteDiscovery {
    return new RemoteDiscovery('remote', {
      finder: {
        want: () => ({ changes: new ChangeSignal(), snapshot: () => undefined }),
        leave: () => {},
        answered: () => (state = { ...state, freshness: 'fresh' }),
        state: () => state,
        close: () => Promise.resolve(),
      },
      timers: fakePorts().timers,
      ask: () => (trouble === undefined ? Promise.resolve() : Promise.reject(trouble)),
      listEverything: undefined,
      problems: () => ['of the others'],
      onClose: () => Promise.resolve(),
      closeClient: () => {},
      ...parts,
    });
  }

  async function firstOf(discovery: RemoteDiscovery): Promise<unknown> {
    const all = discovery.watchAll(signal)[Symbol.asyncIterator]();
    return await all.next().catch((error: unknown) => error);
  }

  it('says why it cannot be asked, also before anybody has asked for a service', async () => {
    const discovery = open();
    expect(await firstOf(discovery)).to.equal(trouble);
    expect(discovery.state()).to.deep.include({ freshness: 'never', lastError: 'nobody listens' });
    trouble = undefined;
    await firstOf(discovery);
    expect(discovery.state()).to.deep.include({ freshness: 'fresh', lastError: undefined });
    expect(discovery.state().problems).to.deep.equal(['of the others', 'of the finder']);
    await discovery.close();
  });

  it('does not call services stale whose registry refuses to list everything, but says so', async () => {
    const discovery = open({
      listEverything: async function* () {
        await Promise.resolve();
        throw new Error('permission denied');
      },
    });
    state = { ...state, freshness: 'fresh' };
    await firstOf(discovery);
    expect(discovery.state()).to.deep.include({ freshness: 'fresh', lastError: undefined });
    expect(discovery.state().problems).to.include('all services: permission denied');
    await discovery.close();
  });
});
