import { isIP } from 'node:net';
import { Rejection } from '../../errors.js';
import type { Balancing } from '../../loadbalance/balancing.js';
import type { Ports, TimerHandle } from '../../ports/ports.js';
import { within } from '../../ports/within.js';
import type { Endpoint } from '../../registry/endpoint.js';
import type { EgressOptions } from './egress-options.js';
import { EgressPlan } from './egress-plan.js';
import { LookupQueue, type HostLookup } from './lookup-queue.js';
import { ForbiddenAddresses, isAmong, isForbiddenName } from './forbidden-address.js';

/** What is made once, besides the options that may change. */
export interface EgressSurroundings {
  readonly ports: Ports;
  readonly balancing: Balancing;
  readonly lookup: HostLookup;
  /** Told of endpoints that are given up, so that their connections are closed. */
  readonly retire: (endpoint: Endpoint) => void;
  /** True for a port on which this process itself listens. */
  readonly isOwnPort: (port: number) => boolean;
  /** Addresses of this machine. */
  readonly ownAddresses: () => readonly string[];
}

/** What a host outside is: its plan, or why it cannot be called. */
export type EgressTarget = EgressPlan | Rejection;

/** How long a host that could not be found stays so without asking again: a caller in a loop must not ask DNS each time. */
const FAILURE_TTL_MS = 5000;

/** How often hosts are looked for that nobody calls any more. */
const SWEEP_MS = 30_000;

interface Known {
  readonly plan: EgressPlan;
  readonly host: string;
  readonly port: number;
  /** May lead to any address. */
  readonly trusted: boolean;
  readonly speaksHttp2: boolean;
  rejection: Rejection | undefined;
  /** Monotonic milliseconds from which on DNS is asked again. */
  staleAt: number;
  asking: Promise<EgressTarget> | undefined;
}

/**
 * Hosts outside the mesh that are called, each with its addresses. Names are resolved here and not while connecting, so that no name can
 * lead to an address that must not be called, whatever DNS says later.
 */
export class EgressPlans {
  readonly #known = new Map<string, Known>();
  readonly #forbidden = new ForbiddenAddresses();
  readonly #lookups: LookupQueue;
  #sweeper: TimerHandle | undefined;

  constructor(
    private readonly surroundings: EgressSurroundings,
    private options: EgressOptions,
  ) {
    this.#lookups = new LookupQueue(surroundings.lookup);
  }

  configure(options: EgressOptions): void {
    this.options = options;
  }

  /**
   * The plan of a host and port; a promise only while DNS is asked for the first time.
   * @param host a name in lower case, or an IP address without brackets
   * @param trusted a rule names this very host, so that it may lead to any address
   * @param speaksHttp2 a rule says that HTTP/2 is spoken at the port
   */
  of(host: string, port: number, trusted: boolean, speaksHttp2: boolean = false): EgressTarget | Promise<EgressTarget> {
    const key = keyOf(host, port, trusted, speaksHttp2);
    const known = this.#known.get(key) ?? this.#begin(key, host, port, trusted, speaksHttp2);
    if (known instanceof Rejection) return known;
    const now = this.surroundings.ports.clock.now();
    known.plan.lastUsedAt = now;
    if (now < known.staleAt) return known.rejection ?? known.plan;
    if (known.asking === undefined) {
      const asking = this.#ask(known).finally(() => (known.asking = undefined));
      known.asking = asking;
    }
    const { plan, rejection } = known;
    return rejection === undefined && plan.state === 'known' ? plan : known.asking;
  }

  /** What is known of a host without asking DNS. */
  peek(host: string, port: number, trusted: boolean, speaksHttp2: boolean = false): EgressTarget | undefined {
    const known = this.#known.get(keyOf(host, port, trusted, speaksHttp2));
    return known?.rejection ?? (known?.plan.state === 'known' ? known.plan : undefined);
  }

  get size(): number {
    return this.#known.size;
  }

  close(): void {
    this.#sweeper?.cancel();
    for (const { plan } of this.#known.values()) plan.retireAll();
    this.#known.clear();
  }

  #begin(key: string, host: string, port: number, trusted: boolean, speaksHttp2: boolean): Known | Rejection {
    if (this.#known.size >= this.options.maxHosts && !this.#makeRoom()) {
      return new Rejection(
        'MESH_ERR_OVERLOADED',
        'Too many different hosts outside the mesh are called; raise mesher.egress.maxHosts',
      );
    }
    const { ports, balancing, retire } = this.surroundings;
    this.#sweeper ??= ports.timers.every(SWEEP_MS, () => this.#sweep(this.options.idleTtl));
    const plan = new EgressPlan(host, ports, balancing, retire);
    const known: Known = {
      ...{ plan, host, port, trusted, speaksHttp2 },
      ...{ rejection: undefined, staleAt: -Infinity, asking: undefined },
    };
    this.#known.set(key, known);
    return known;
  }

  async #ask(known: Known): Promise<EgressTarget> {
    const { clock } = this.surroundings.ports;
    const { host, plan, port, speaksHttp2 } = known;
    try {
      const addresses = isIP(host) === 0 ? await this.#lookup(host) : [host];
      const allowed = addresses.filter((address) => this.#mayCall(address, known));
      known.rejection = allowed.length === 0 ? this.#refusal(known, addresses) : undefined;
      known.staleAt = clock.now() + this.options.refresh;
      if (allowed.length > 0) plan.resolved(allowed, port, speaksHttp2, clock.now());
      else plan.retireAll();
    } catch (error) {
      // Addresses that were good go on being used: DNS in trouble says nothing about the host.
      if (plan.state !== 'known') known.rejection = notFound(host, error);
      known.staleAt = clock.now() + FAILURE_TTL_MS;
    }
    return known.rejection ?? plan;
  }

  async #lookup(host: string): Promise<readonly string[]> {
    let addresses: readonly string[] = [];
    const question = this.#lookups.ask(host);
    const asked = question.addresses.then((found) => void (addresses = found));
    const inTime = await within(this.surroundings.ports.timers, this.options.lookupTimeout, asked);
    question.abandon();
    if (!inTime) throw Object.assign(new Error('DNS did not answer in time'), { code: 'ETIMEOUT' });
    return addresses;
  }

  #mayCall(address: string, { host, port, trusted }: Known): boolean {
    if (this.#isSelf(address, port)) return false;
    if (trusted) return true;
    // What listens on this machine for others need not be meant for those who can only reach the sidecar.
    return !(isForbiddenName(host) || this.#forbidden.has(address) || this.#isOwn(address));
  }

  /** A listener of this very sidecar: the call would come back. */
  #isSelf(address: string, port: number): boolean {
    return this.surroundings.isOwnPort(port) && (isAmong(address, ['0.0.0.0', '::', '::1']) || this.#isOwn(address));
  }

  /** An address of this machine, whichever of its loopback ones included. */
  #isOwn(address: string): boolean {
    return /^(::ffff:)?127\./.test(address) || isAmong(address, this.surroundings.ownAddresses());
  }

  #refusal({ host, port }: Known, addresses: readonly string[]): Rejection {
    const own = addresses.some((address) => this.#isSelf(address, port));
    const where = addresses.length === 0 ? 'no address' : addresses.join(', ');
    const leads = addresses[0] === host ? `${host} is` : `${host} leads to ${where}:`;
    return new Rejection(
      'MESH_ERR_EGRESS_DENIED',
      own
        ? `${host}:${port} leads to this sidecar itself`
        : `${leads} this machine, its link or its metadata service, which are not outside the mesh`,
      undefined,
      own ? 'Correct the port' : `If that is meant, name the host itself, without '*', in egressRule`,
    );
  }

  #makeRoom(): boolean {
    this.#sweep(0);
    return this.#known.size < this.options.maxHosts;
  }

  #sweep(idleTtl: number): void {
    const now = this.surroundings.ports.clock.now();
    for (const [key, { plan, asking }] of this.#known) {
      if (plan.calls > 0 || asking !== undefined || (idleTtl > 0 && now - plan.lastUsedAt < idleTtl)) continue;
      this.#known.delete(key);
      plan.retireAll();
    }
  }
}

function keyOf(host: string, port: number, trusted: boolean, speaksHttp2: boolean): string {
  return `${host}|${port}|${trusted}|${speaksHttp2}`;
}

function notFound(host: string, error: unknown): Rejection {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOTFOUND' || code === 'ENODATA'
    ? new Rejection('MESH_ERR_NO_ROUTE', `DNS knows no host ${host}`, undefined, 'Check the spelling of the host')
    : new Rejection(
        'MESH_ERR_CONNECT',
        `DNS could not be asked about ${host} (${code ?? String(error)})`,
        undefined,
        'Check the name server of this machine',
      );
}
