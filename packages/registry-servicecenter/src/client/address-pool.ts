import { jittered, type Ports, type TimerHandle } from '@mesher/core';

/** Where a node of service-center is, as far as is known. */
export type Nearness = 'own-zone' | 'other-zone' | 'configured';

/** As go-chassis prefers them. */
const ORDER: readonly Nearness[] = ['own-zone', 'other-zone', 'configured'];

/** An address fails for all its clients in one moment: their probes are spread over as long as the quarantine lasts. */
const PROBE_JITTER = 0.5;

interface Node {
  readonly base: string;
  nearness: Nearness;
  isConfigured: boolean;
  /** Set after a failure, until a probe is answered. */
  probe: TimerHandle | undefined;
}

/**
 * The addresses of one service-center: taken in turn among the nearest that are well. One that failed rests until a probe finds it
 * well again; when all of them rest, they are tried all the same.
 */
export class AddressPool {
  #nodes: Node[];
  #turn: number;
  #closed = false;

  /**
   * @param bases configured addresses, at least one
   * @param quarantineMs between the probes of an address that failed, give or take a half
   * @param isWell asks an address whether it works
   */
  constructor(
    bases: readonly string[],
    private readonly ports: Ports,
    private readonly quarantineMs: number,
    private readonly isWell: (base: string) => Promise<boolean>,
  ) {
    this.#nodes = [...new Set(bases)].map((base) => makeNode(base, 'configured', true));
    // Many clients with the same list should not all begin with its first address.
    this.#turn = Math.floor(ports.random.next() * this.#nodes.length);
  }

  /** As the configuration has them. */
  get configured(): readonly string[] {
    return this.#nodes.filter(({ isConfigured }) => isConfigured).map(({ base }) => base);
  }

  get size(): number {
    return this.#nodes.length;
  }

  /** Addresses that failed and were not found well since. */
  get resting(): readonly string[] {
    return this.#nodes.filter(({ probe }) => probe !== undefined).map(({ base }) => base);
  }

  /** The addresses in the order in which one request should try them. */
  order(): readonly string[] {
    const well = this.#nodes.filter(({ probe }) => probe === undefined);
    const resting = this.#nodes.filter(({ probe }) => probe !== undefined);
    const turn = this.#turn++;
    const inTurn = (nodes: readonly Node[]): readonly string[] =>
      ORDER.flatMap((nearness) =>
        rotate(
          nodes.filter((node) => node.nearness === nearness),
          turn,
        ),
      ).map(({ base }) => base);
    return [...inTurn(well), ...inTurn(resting)];
  }

  failed(base: string): void {
    const node = this.#nodes.find((one) => one.base === base);
    if (node !== undefined && node.probe === undefined) this.#rest(node);
  }

  succeeded(base: string): void {
    const node = this.#nodes.find((one) => one.base === base);
    node?.probe?.cancel();
    if (node !== undefined) node.probe = undefined;
  }

  /** What service-center says about its nodes; configured addresses stay, however near. */
  discovered(found: ReadonlyMap<string, Nearness>): void {
    for (const node of this.#nodes) {
      node.nearness = found.get(node.base) ?? 'configured';
      if (!node.isConfigured && !found.has(node.base)) node.probe?.cancel();
    }
    const kept = this.#nodes.filter(({ base, isConfigured }) => isConfigured || found.has(base));
    const known = new Set(kept.map(({ base }) => base));
    const added = [...found].filter(([base]) => !known.has(base));
    this.#nodes = [...kept, ...added.map(([base, nearness]) => makeNode(base, nearness, false))];
  }

  close(): void {
    this.#closed = true;
    for (const node of this.#nodes) node.probe?.cancel();
  }

  #rest(node: Node): void {
    if (this.#closed) return;
    node.probe = this.ports.timers.after(jittered(this.ports, this.quarantineMs, PROBE_JITTER), () => {
      void this.isWell(node.base).then((isWell) => {
        if (node.probe === undefined || this.#closed || !this.#nodes.includes(node)) return;
        if (isWell) node.probe = undefined;
        else this.#rest(node);
      });
    });
  }
}

function makeNode(base: string, nearness: Nearness, isConfigured: boolean): Node {
  return { base, nearness, isConfigured, probe: undefined };
}

function rotate<T>(list: readonly T[], turn: number): readonly T[] {
  const at = list.length === 0 ? 0 : turn % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
}
