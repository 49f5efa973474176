import { MeshError } from '../errors.js';
import type { LogLevel } from './bootstrap.js';
import type { Sections } from './compose-sections.js';
import type { GroupValue } from './schema/object.js';
import type { Infer, Schema } from './schema/schema.js';
import type { CORE_SECTIONS } from './sections/index.js';

type CoreSections = typeof CORE_SECTIONS;

/** The value of one of the sections that core itself declares. */
export type CoreSection<K extends keyof CoreSections> = Infer<CoreSections[K]>;

/** The checked configuration: everything converted, defaults filled in, immutable. */
export class MeshDocument {
  readonly #sections: Sections;
  readonly #root: GroupValue;

  /**
   * Made by `loadConfiguration`.
   * @param hash identifies the content: equal for equal values, wherever they come from (SHA-256, hexadecimal)
   * @param registryConfigured whether any registry key is set at all; if not, Mesher chooses a registry itself
   */
  constructor(
    sections: Sections,
    root: GroupValue,
    readonly hash: string,
    readonly registryConfigured: boolean,
  ) {
    this.#sections = sections;
    this.#root = root;
  }

  /** `servicecomb.service`, with the name that is always there. */
  get service(): CoreSection<'servicecomb.service'> & { readonly name: string } {
    const service = this.#core('servicecomb.service');
    return { ...service, name: service.name ?? '' };
  }

  /** `servicecomb.protocols`, by name. */
  get protocols(): CoreSection<'servicecomb.protocols'> {
    return this.#core('servicecomb.protocols');
  }

  get registry(): CoreSection<'servicecomb.registry'> {
    return this.#core('servicecomb.registry');
  }

  get admin(): CoreSection<'admin'> {
    return this.#core('admin');
  }

  /** Package names and module paths to load. */
  get plugins(): readonly string[] {
    return this.#core('plugins');
  }

  /** Which resolvers are chosen. */
  get plugin(): CoreSection<'plugin'> {
    return this.#core('plugin');
  }

  get pprof(): CoreSection<'pprof'> {
    return this.#core('pprof');
  }

  get mesher(): CoreSection<'mesher'> {
    return this.#core('mesher');
  }

  /** `logLevel` of lager.yaml, in the words of the command line; undefined when it is not set. */
  get logLevel(): LogLevel | undefined {
    const level = this.#core('').logLevel?.toLowerCase();
    return level === 'fatal' ? 'error' : (level as LogLevel | undefined);
  }

  get localHealthCheck(): CoreSection<'localHealthCheck'> {
    return this.#core('localHealthCheck');
  }

  /** `tracing`; without a tracer there are no spans. */
  get tracing(): CoreSection<'tracing'> {
    return this.#core('tracing');
  }

  /** `servicecomb.match`, by mark. */
  get matchGroups(): CoreSection<'servicecomb.match'> {
    return this.#core('servicecomb.match');
  }

  /** `servicecomb.routeRule`, by called service. */
  get routeRules(): CoreSection<'servicecomb.routeRule'> {
    return this.#core('servicecomb.routeRule');
  }

  /** `servicecomb.sourceTemplate`, by name. */
  get sourceTemplates(): CoreSection<'servicecomb.sourceTemplate'> {
    return this.#core('servicecomb.sourceTemplate');
  }

  /** `servicecomb.darklaunch.policy`, by called service. */
  get darklaunchPolicies(): CoreSection<'servicecomb.darklaunch.policy'> {
    return this.#core('servicecomb.darklaunch.policy');
  }

  /** `egressRule`, by name. */
  get egressRules(): CoreSection<'egressRule'> {
    return this.#core('egressRule');
  }

  /** The handler names of a chain, or undefined when it is not set (an empty chain counts as not set). */
  chain(direction: 'Consumer' | 'Provider', name: string): readonly string[] | undefined {
    return this.#core('servicecomb.handler').chain[direction].get(name);
  }

  /**
   * The value of a section that was given to `loadConfiguration`, or that core declares.
   * @throws MeshError MESH_ERR_CONFIG_SECTION when the document was not loaded with this very schema at this key
   */
  section<T>(prefix: string, schema: Schema<T>): T {
    if (this.#sections[prefix] !== schema) {
      throw new MeshError(
        'MESH_ERR_CONFIG_SECTION',
        `section '${prefix}' was not loaded with this schema; pass {'${prefix}': schema} in 'sections' to loadConfiguration`,
      );
    }
    return this.#find(prefix) as T;
  }

  #core<K extends keyof CoreSections>(prefix: K): CoreSection<K> {
    return this.#find(prefix) as CoreSection<K>;
  }

  #find(prefix: string): unknown {
    let value: unknown = this.#root;
    for (const key of prefix === '' ? [] : prefix.split('.')) {
      value = (value as GroupValue)[key];
    }
    return value;
  }
}
