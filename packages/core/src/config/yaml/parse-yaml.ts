import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  type Document,
  type Node,
  type Pair,
  type YAMLError,
  type YAMLMap,
} from 'yaml';
import type { Notice, Origin, Problem } from '../problem.js';
import { YAML_LIMITS, type YamlLimits } from './limits.js';
import { ConfigNode, insertEntry, type ConfigEntry, type Leaf } from '../tree/config-node.js';

/** More syntax errors than this in one file are follow-ups of the first ones. */
const MAX_SYNTAX_ERRORS = 10;

export interface ParsedYaml {
  /** Every value with its whole key, in the order of the file. */
  readonly entries: readonly ConfigEntry[];
  readonly problems: readonly Problem[];
  readonly notices: readonly Notice[];
}

/**
 * Reads a YAML text into flat entries: maps are taken apart at every level and at every dot in a key, lists stay lists, `null`
 * and empty maps set nothing. Duplicate keys are mistakes. Of several documents in a text only the first counts, as in Go.
 *
 * @param file the name that positions carry
 */
export function parseYaml(text: string, file: string, limits: YamlLimits = YAML_LIMITS): ParsedYaml {
  const reader = new YamlReader(file, limits);
  reader.read(text.startsWith('\uFEFF') ? text.slice(1) : text);
  return reader;
}

class LimitReached extends Error {}

class YamlReader implements ParsedYaml {
  readonly entries: ConfigEntry[] = [];
  readonly problems: Problem[] = [];
  readonly notices: Notice[] = [];
  readonly #lines = new LineCounter();
  #nodes = 0;
  #aliases = 0;

  constructor(
    readonly file: string,
    readonly limits: YamlLimits,
  ) {}

  read(text: string): void {
    try {
      const documents = parseAllDocuments(text, {
        lineCounter: this.#lines,
        prettyErrors: false,
        logLevel: 'silent',
        uniqueKeys: true,
      });
      const [first, second] = documents;
      if (first === undefined) {
        return;
      }
      this.#readDocument(first, text);
      if (second !== undefined && this.problems.length === 0) {
        const origin = this.#at(second.range[0]);
        this.notices.push({
          kind: 'hint',
          origin,
          path: '',
          message: 'only the first YAML document of a file is read',
        });
      }
    } catch (error) {
      // The parser itself recurses: text that is nested thousands of levels deep ends in a RangeError.
      if (!(error instanceof LimitReached || error instanceof RangeError)) {
        throw error;
      }
      this.#problem(0, error instanceof LimitReached ? error.message : 'is nested too deeply');
    }
  }

  #readDocument(document: Document.Parsed, text: string): void {
    for (const error of document.errors.slice(0, MAX_SYNTAX_ERRORS)) {
      this.#problem(error.pos[0], describeSyntaxError(error, text));
    }
    for (const warning of document.warnings) {
      this.notices.push({
        kind: 'hint',
        origin: this.#at(warning.pos[0]),
        path: '',
        message: firstLine(warning.message),
      });
    }
    const contents = document.contents as Node | null;
    if (document.errors.length > 0 || contents === null || (isScalar(contents) && contents.value === null)) {
      return;
    }
    if (!isMap(contents)) {
      this.#problem(offsetOf(contents), "expects 'key: value' lines at the top level");
      return;
    }
    this.#readMap(contents, [], [], document, this.entries, 0);
  }

  #readMap(
    map: YAMLMap,
    path: readonly string[],
    keyOrigins: readonly Origin[],
    document: Document,
    into: ConfigEntry[],
    depth: number,
  ): void {
    for (const pair of map.items as Pair<Node, Node | null>[]) {
      this.#countNode(depth);
      const key = isAlias(pair.key) ? this.#resolve(pair.key, document) : pair.key;
      if (!isScalar(key)) {
        this.#problem(offsetOf(pair.key), 'a key must be a plain text');
        continue;
      }
      const keyText = typeof key.value === 'string' ? key.value : (key.source ?? String(key.value));
      if (keyText === '<<') {
        this.#readMerge(map, pair.value, path, keyOrigins, document, into, depth);
        continue;
      }
      const origin = this.#at(offsetOf(pair.key));
      const parts = keyText.split('.');
      if (parts.includes('')) {
        this.problems.push({
          origin,
          path: [...path, keyText].join('.'),
          message: 'a key must not be empty or have empty parts between dots',
        });
        continue;
      }
      const innerOrigins = [...keyOrigins, ...parts.map(() => origin)];
      this.#readValue(pair.value, [...path, ...parts], innerOrigins, document, into, depth + 1);
    }
  }

  /** `<<: *base`: keys of the base that the map does not have itself (YAML 1.1 merge keys, which go-yaml reads). */
  #readMerge(
    map: YAMLMap,
    value: Node | null,
    path: readonly string[],
    keyOrigins: readonly Origin[],
    document: Document,
    into: ConfigEntry[],
    depth: number,
  ): void {
    const own = new Set((map.items as Pair<Node>[]).map(({ key }) => (isScalar(key) ? String(key.value) : '')));
    const bases = isSeq(value) ? (value.items as Node[]) : [value];
    for (const base of bases) {
      const resolved = isAlias(base) ? this.#resolve(base, document) : base;
      if (!isMap(resolved)) {
        this.#problem(offsetOf(base), "'<<' expects a map or a list of maps");
        continue;
      }
      const missing = resolved.items.filter(({ key }) => !(isScalar(key) && own.has(String(key.value))));
      for (const { key } of missing) {
        own.add(isScalar(key) ? String(key.value) : '');
      }
      const part = resolved.clone() as YAMLMap;
      part.items = missing;
      this.#readMap(part, path, keyOrigins, document, into, depth + 1);
    }
  }

  #readValue(
    value: Node | null,
    path: readonly string[],
    keyOrigins: readonly Origin[],
    document: Document,
    into: ConfigEntry[],
    depth: number,
  ): void {
    this.#countNode(depth);
    const resolved = isAlias(value) ? this.#resolve(value, document) : value;
    if (isMap(resolved)) {
      this.#readMap(resolved, path, keyOrigins, document, into, depth);
      return;
    }
    const leaf = this.#leaf(resolved, value, document, depth);
    if (leaf !== undefined) {
      into.push({ path, keyOrigins, leaf });
    }
  }

  #leaf(resolved: Node | null, written: Node | null, document: Document, depth: number): Leaf | undefined {
    const origin = this.#at(offsetOf(written));
    if (isSeq(resolved)) {
      const items = (resolved.items as Node[]).map((item) => this.#item(item, document, depth + 1));
      return { kind: 'list', items, origin };
    }
    if (!isScalar(resolved) || resolved.value === null) {
      return undefined;
    }
    const text = typeof resolved.value === 'string' ? resolved.value : (resolved.source ?? String(resolved.value));
    return { kind: 'scalar', text, origin };
  }

  #item(item: Node, document: Document, depth: number): ConfigNode {
    this.#countNode(depth);
    const node = new ConfigNode(this.#at(offsetOf(item)));
    const resolved = isAlias(item) ? this.#resolve(item, document) : item;
    if (isMap(resolved)) {
      const entries: ConfigEntry[] = [];
      this.#readMap(resolved, [], [], document, entries, depth);
      for (const entry of entries) {
        insertEntry(node, entry);
      }
      node.origin = this.#at(offsetOf(item));
    } else {
      node.leaf = this.#leaf(resolved, item, document, depth);
    }
    return node;
  }

  #resolve(alias: Node, document: Document): Node | null {
    this.#aliases += 1;
    if (this.#aliases > this.limits.maxAliasCount) {
      throw new LimitReached(`uses more than ${this.limits.maxAliasCount} aliases (*name); write the values out`);
    }
    return isAlias(alias) ? ((alias.resolve(document) as Node | undefined) ?? null) : alias;
  }

  #countNode(depth: number): void {
    this.#nodes += 1;
    if (this.#nodes > this.limits.maxNodes) {
      throw new LimitReached(`has more than ${this.limits.maxNodes} values`);
    }
    if (depth > this.limits.maxDepth) {
      throw new LimitReached(`is nested more than ${this.limits.maxDepth} levels deep`);
    }
  }

  #at(offset: number): Origin {
    const { line, col } = this.#lines.linePos(offset);
    // A position before the first line start has line 0.
    return { layer: 'file', file: this.file, line: Math.max(1, line), column: Math.max(1, col) };
  }

  #problem(offset: number, message: string): void {
    this.problems.push({ origin: this.#at(offset), path: '', message });
  }
}

function offsetOf(node: unknown): number {
  return (node as { range?: readonly number[] | null } | null)?.range?.[0] ?? 0;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text;
}

function describeSyntaxError(error: YAMLError, text: string): string {
  if (error.code === 'DUPLICATE_KEY') {
    const key = /^[^\s:]+/.exec(text.slice(error.pos[0]))?.[0] ?? '';
    return `the key '${key}' is set twice in this group; keep one of them`;
  }
  if (error.code === 'TAB_AS_INDENT') {
    return 'tabs are not allowed for indentation in YAML; use spaces';
  }
  return `is not valid YAML: ${firstLine(error.message)}`;
}
