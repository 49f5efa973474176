import type { ConfigNode, ScalarLeaf } from '../tree/config-node.js';
import type { ParsedYamlText } from '../yaml/parse-yaml.js';
import type { Notice, NoticeKind, Origin, Problem } from '../problem.js';
import { isSecretKey, maskText } from './secrets.js';
import type { Notes } from './schema.js';

/** One value of the effective configuration. */
export interface EffectiveValue {
  /** Dotted key in its present spelling. */
  readonly key: string;
  /** As written, or the default; `***` when it is a secret. */
  readonly value: string;
  readonly origin: Origin;
  /** False for what is read and checked only. */
  readonly inEffect: boolean;
}

/** Reads the YAML inside a value. Handed in, so that schemas can be declared without loading a YAML parser. */
export type TextParser = (leaf: ScalarLeaf) => ParsedYamlText;

function withoutParser(): never {
  throw new TypeError('a text that holds YAML cannot be read: ReadContext was made without a parser for it');
}

/** Collects what reading a configuration finds: problems, notices and the effective values. */
export class ReadContext {
  readonly problems: Problem[] = [];
  readonly notices: Notice[] = [];
  readonly effective: EffectiveValue[] = [];
  /** Unmasked `key=value` lines: what the content hash is made of. */
  readonly content: string[] = [];
  /** Unmasked values by key, to find what differs from another configuration. Never shown. */
  readonly values = new Map<string, string>();
  readonly #announced = new Set<string>();
  #idle = 0;
  #knownKeys: readonly string[] | undefined;
  #place: Origin = { layer: 'default' };

  /**
   * @param keys every dotted key there is, for suggestions; asked for when there is something to suggest, as it takes milliseconds
   * @param parseText reads texts that hold YAML
   */
  constructor(
    private readonly keys: () => readonly string[] = () => [],
    readonly parseText: TextParser = withoutParser,
  ) {}

  get knownKeys(): readonly string[] {
    return (this.#knownKeys ??= this.keys());
  }

  /** What to point at when something is missing: the innermost group that is written down. */
  get place(): Origin {
    return this.#place;
  }

  /** Reads the keys of a group, which is what missing ones are missing from. */
  inside<T>(node: ConfigNode | undefined, read: () => T): T {
    const outer = this.#place;
    this.#place = node?.isSet === true ? node.origin : outer;
    const value = read();
    this.#place = outer;
    return value;
  }

  problem(origin: Origin, path: string, message: string): void {
    this.problems.push({ origin, path, message });
  }

  notice(kind: NoticeKind, origin: Origin, path: string, message: string): void {
    this.notices.push({ kind, origin, path, message });
  }

  /** Notes down a value for the effective configuration. Defaults of sections without effect are left out: they mean nothing. */
  record(key: string, value: string, origin: Origin, secret: boolean): void {
    if (origin.layer === 'default' && this.#idle > 0) {
      return;
    }
    this.content.push(`${key}=${value}`);
    this.values.set(key, value);
    this.effective.push({
      key,
      value: secret || isSecretKey(key) ? '***' : maskText(value),
      origin,
      inEffect: this.#idle === 0,
    });
  }

  /** Reads the inside of a key, and says so when what is set there has no effect. */
  within<T>(notes: Notes, node: ConfigNode | undefined, path: string, read: () => T): T {
    const idle = notes.notYet !== undefined || notes.obsolete !== undefined;
    if (!idle) {
      return read();
    }
    if (node?.isSet === true && this.#idle === 0) {
      this.#announce(notes, node, path);
    }
    const problemsBefore = this.problems.length;
    this.#idle += 1;
    const value = read();
    this.#idle -= 1;
    if (notes.obsolete !== undefined) {
      // Nobody reads the value, so a wrong one must not stop the start.
      this.problems.length = problemsBefore;
    }
    return value;
  }

  #announce(notes: Notes, node: ConfigNode, path: string): void {
    if (notes.obsolete !== undefined) {
      this.notice('obsolete', node.origin, path, `has no effect: ${notes.obsolete}`);
      return;
    }
    const section = notes.section ?? path;
    if (!this.#announced.has(section)) {
      this.#announced.add(section);
      this.notice('not-yet', node.origin, section, `read, but not in effect in this version: ${notes.notYet ?? ''}`);
    }
  }
}
