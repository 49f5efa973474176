import type { ServiceSnapshot } from '../registry/contracts.js';

/** Just below the time limit of a test, so that the failure says which line waited, and nothing looks on after it. */
const GIVE_UP_MS = 9_500;

/** Looks at something until it holds, for states that nothing announces. @throws Error when it never does */
export async function eventually(holds: () => boolean): Promise<void> {
  const giveUpAt = performance.now() + GIVE_UP_MS;
  while (!holds()) {
    if (performance.now() > giveUpAt) throw new Error(`never so within ${GIVE_UP_MS} ms: ${String(holds)}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** All snapshots of one watch, from the first to the present one. */
export class SnapshotLog {
  readonly all: ServiceSnapshot[] = [];

  constructor(snapshots: AsyncIterable<ServiceSnapshot>) {
    void this.#read(snapshots);
  }

  /** Of the instances that take calls at present, sorted. */
  get ids(): readonly string[] {
    const present = this.all.at(-1);
    return present === undefined ? [] : callable(present).sort();
  }

  /** Resolves once exactly these take calls. */
  async until(...ids: string[]): Promise<void> {
    await eventually(() => this.all.length > 0 && this.ids.join() === ids.join());
  }

  /** True when calls could be sent there all the time, from the first snapshot on. */
  neverLacked(...ids: string[]): boolean {
    return this.all.every((snapshot) => snapshot.exists && ids.every((id) => callable(snapshot).includes(id)));
  }

  async #read(snapshots: AsyncIterable<ServiceSnapshot>): Promise<void> {
    for await (const snapshot of snapshots) this.all.push(snapshot);
  }
}

function callable({ instances }: ServiceSnapshot): string[] {
  return instances.filter(({ status }) => status === 'UP' || status === 'TESTING').map(({ instanceId }) => instanceId);
}
