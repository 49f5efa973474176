import { expect } from 'chai';
import type { Indexed } from '../client/blocking-answer.js';
import { WatchedService } from '../finding/watched-service.js';

const INSTANCES = 10_000;
const RULES = {
  environment: undefined,
  warning: 'out',
  healthCheck: false,
  emptyGraceMs: 60_000,
  healthCheckGraceMs: 600_000,
} as const;

/** What Consul lists for so many instances. */
function answer(changed = -1): Indexed<unknown> {
  const content = Array.from({ length: INSTANCES }, (_, at) => ({
    Node: { Node: `n${at % 100}`, Address: '10.0.0.1', Datacenter: 'dc1' },
    Service: { ID: `i${at}`, Address: '10.0.0.1', Port: 1_000 + at, Meta: { stage: at === changed ? 'new' : 'old' } },
    Checks: [{ CheckID: `service:i${at}`, Status: 'passing', Output: 'UP, says Mesher' }],
  }));
  return { content, index: 1n, hasLeader: true, isFiltered: false, isStreamed: false, bytes: 0 };
}

describe('fault 17 (huge answers): ten thousand instances in Consul', () => {
  /** Takes the answer. @returns how often others had their turn meanwhile */
  async function take(service: WatchedService, given: Indexed<unknown>): Promise<number> {
    let turns = 0;
    let isTaking = true;
    const turn = (): void => {
      turns++;
      if (isTaking) setImmediate(turn);
    };
    setImmediate(turn);
    await service.take(given, 0, () => {});
    isTaking = false;
    return turns;
  }

  it('are read while others have their turns, and make no new snapshot when they are as they were', async () => {
    const service = new WatchedService('world', RULES);
    expect(await take(service, answer())).to.be.at.least(15);
    const first = service.snapshot(undefined);
    expect(first?.instances).to.have.length(INSTANCES);
    await take(service, answer());
    expect(service.snapshot(first?.revision)).to.equal(undefined);
  });

  it('keep the objects of those that have not changed', async () => {
    const service = new WatchedService('world', RULES);
    await take(service, answer());
    const before = new Set(service.snapshot(undefined)?.instances);
    await take(service, answer(5_000));
    const fresh = service.snapshot(undefined)?.instances.filter((instance) => !before.has(instance));
    expect(fresh?.map(({ instanceId }) => instanceId)).to.deep.equal(['i5000']);
  });
});
