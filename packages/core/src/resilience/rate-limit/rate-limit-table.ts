import type { FlowcontrolConfig, QpsConfig } from '../../config/sections/flowcontrol.js';
import type { Invocation } from '../../invocation.js';
import { KeyedLimits } from './rate-limit-keys.js';
import { OperationPath } from './operation-path.js';
import { SideLimits, type LimitRule } from './rate-limit-side.js';
import { LimitPool, UNLIMITED, type LimitParts, type LimitShape, type RateLimit } from './rate-limit.js';
import { defaultBurst } from './token-bucket.js';

/** The side of a call as the configuration names it. */
export type Side = 'Consumer' | 'Provider';

type RuleConfig = NonNullable<QpsConfig['rules']>[number];

/** What the block of a source says. */
interface SourceBlock {
  readonly source: string;
  readonly qps: QpsConfig;
}

/** Everything that `cse.flowcontrol` says about one side, with the state of its limits. */
export class RateLimitTable {
  #everyone: SideLimits | undefined;
  #bySource = new Map<string, SideLimits>();
  #keyed = new Map<string, KeyedLimits>();
  #nextKeyed = new Map<string, KeyedLimits>();

  readonly #pool: LimitPool;

  constructor(
    private readonly side: Side,
    private readonly parts: LimitParts,
  ) {
    this.#pool = new LimitPool(parts);
  }

  get isEmpty(): boolean {
    return this.#everyone === undefined && this.#bySource.size === 0;
  }

  /** True when it matters on whose behalf a consumer calls. */
  get dependsOnSource(): boolean {
    return this.#bySource.size > 0;
  }

  /**
   * @param maxKeys services with a bucket of their own under one limit
   * @throws MeshError MESH_ERR_UNKNOWN_PLUGIN when a limit is to be shared through a plugin that does not exist
   */
  compile(config: FlowcontrolConfig, maxKeys: number): void {
    const everyone = this.#compileSide(config[this.side].qps, undefined, maxKeys);
    this.#bySource = new Map();
    for (const [source, block] of this.side === 'Consumer' ? config.sources : []) {
      this.#bySource.set(
        source,
        this.#compileSide(config[this.side].qps, { source, qps: block.Consumer.qps }, maxKeys),
      );
    }
    this.#everyone = everyone.isEmpty ? undefined : everyone;
    if (everyone.isEmpty && [...this.#bySource.values()].every(({ isEmpty }) => isEmpty)) this.#bySource.clear();
    this.#pool.settle();
    this.#keyed = this.#nextKeyed;
    this.#nextKeyed = new Map();
  }

  /**
   * @param subject Consumer: the called service; Provider: the calling one, empty when unknown
   * @param source Consumer: on whose behalf is called
   */
  find(call: Invocation, subject: string, source: string): RateLimit | KeyedLimits | undefined {
    return (this.#bySource.get(source) ?? this.#everyone)?.find(call, subject);
  }

  #compileSide(own: QpsConfig, block: SourceBlock | undefined, maxKeys: number): SideLimits {
    if ((block?.qps.enabled ?? own.enabled) === false) return new SideLimits([], [], undefined);
    const named = [...new Map([...own.limit, ...(block?.qps.limit ?? [])])].map(([name, rate]) => ({
      name,
      limit: this.#named(name, rate, own, block),
    }));
    const rules = [...this.#rules(block?.qps.rules, block), ...this.#rules(own.rules, undefined)];
    return new SideLimits(named, rules, this.#global(own, block, maxKeys));
  }

  /** What a source does not set for itself it has together with everybody else. */
  #named(name: string, rate: number, own: QpsConfig, block: SourceBlock | undefined): RateLimit | undefined {
    const special = block?.qps;
    const isSpecial =
      special !== undefined && [special.limit, special.burst, special.shared].some((map) => map.has(name));
    return this.#limit({
      id: this.#id(name, isSpecial ? block : undefined),
      name,
      rate,
      burst: special?.burst.get(name) ?? own.burst.get(name) ?? defaultBurst(rate),
      shared: special?.shared.get(name) ?? own.shared.get(name),
    });
  }

  #rules(rules: readonly RuleConfig[] | undefined, block: SourceBlock | undefined): LimitRule[] {
    const labels = new Set<string>();
    return (rules ?? []).map(({ service, method, path, limit, burst, shared, name }) => {
      const label = name ?? [service, method?.join('|'), path].filter((part) => part !== undefined).join(' ');
      // Two rules under one name would share one bucket.
      let unique = label;
      for (let count = 2; labels.has(unique); count++) unique = `${label} #${count}`;
      labels.add(unique);
      const shape = {
        id: this.#id(`rule ${unique}`, block),
        name: label,
        rate: limit,
        burst: burst ?? defaultBurst(limit),
        shared,
      };
      const template = path === undefined ? undefined : new OperationPath(path);
      return { service, methods: method, template, limit: this.#limit(shape) };
    });
  }

  #global(own: QpsConfig, block: SourceBlock | undefined, maxKeys: number): RateLimit | KeyedLimits | undefined {
    const special = block?.qps.global;
    const limit = special?.limit ?? own.global.limit;
    if (limit === undefined || limit >= UNLIMITED) return undefined;
    const isSpecial = special !== undefined && Object.values(special).some((value) => value !== undefined);
    // No service can have this name, while one may well be called 'global'.
    const id = this.#id('(global)', isSpecial ? block : undefined);
    const shape = {
      id,
      name: 'global',
      rate: limit,
      burst: special?.burst ?? own.global.burst ?? defaultBurst(limit),
      shared: special?.shared ?? own.global.shared,
    };
    if ((special?.scope ?? own.global.scope) !== 'each') return this.#pool.limit(shape);
    let keyed = this.#nextKeyed.get(id) ?? this.#keyed.get(id);
    if (keyed === undefined) keyed = new KeyedLimits(shape, maxKeys, this.parts);
    else keyed.adjust(shape, maxKeys);
    this.#nextKeyed.set(id, keyed);
    return keyed;
  }

  #limit(shape: LimitShape): RateLimit | undefined {
    return shape.rate >= UNLIMITED ? undefined : this.#pool.limit(shape);
  }

  #id(name: string, block: SourceBlock | undefined): string {
    return block === undefined ? `${this.side}/${name}` : `${block.source}.${this.side}/${name}`;
  }
}
