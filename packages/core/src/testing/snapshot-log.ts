import type { ServiceSnapshot } from '../registry/contracts.js';

/** Looks at something until it holds, for states that nothing announces; the time limit of the test ends it. */
export async function eventually(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2));
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
