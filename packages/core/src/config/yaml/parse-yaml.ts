import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  YAMLMap,
  type Document,
  type Node,
  type Pair,
} from 'yaml';
import type { Notice, Origin, Problem } from '../problem.js';
import { describeSyntaxError, firstLine } from './syntax-error.js';
import { blockColumn, offsetOf, scalarText } from './node-text.js';
import { isNestedTooDeeply } from './nesting.js';
import { YAML_LIMITS, type YamlLimits } from './limits.js';
import { ConfigNode, insertEntry, type ConfigEntry, type Leaf, type ScalarLeaf } from '../tree/config-node.js';

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
  const reader = new YamlReader((line, column) => ({ layer: 'file', file, line, column }), limits);
  reader.read(text.startsWith('\uFEFF') ? text.slice(1) : text);
  return reader;
}

/** What a YAML text inside a value says. */
export interface ParsedYamlText {
  /** A map, a list or a scalar; undefined when there are problems. */
  readonly node: ConfigNode | undefined;
  readonly problems: readonly Problem[];
  readonly notices: readonly Notice[];
}

/**
 * Reads the YAML inside a value, as go-chassis keeps rules (`routeRule: {world: "- precedence: 1"}`). Positions point into the file
 * that holds the value: exactly in a block text (`|`), at its first line otherwise; a value that is in no file keeps its origin.
 */
export function parseYamlText(leaf: ScalarLeaf, limits: YamlLimits = YAML_LIMITS): ParsedYamlText {
  const reader = new YamlReader((line, column) => placeInside(leaf, line, column), limits);
  const node = reader.readText(leaf.text);
  return { node: reader.problems.length > 0 ? undefined : node, problems: reader.problems, notices: reader.notices };
}

function placeInside({ origin, blockColumn: start }: ScalarLeaf, line: number, column: number): Origin {
  if (origin.layer !== 'file') return origin;
  if (start !== undefined) return { ...origin, line: origin.line + line, column: start + column - 1 };
  return line === 1 ? { ...origin, column: origin.column + column - 1 } : origin;
}

class LimitReached extends Error {}

/** Where in the key space a map is read. */
interface Place {
  readonly path: readonly string[];
  readonly keyOrigins: readonly Origin[];
  /** Levels of YAML above; merged and aliased maps count too. */
  readonly depth: number;
}

const TOP: Place = { path: [], keyOrigins: [], depth: 0 };

class YamlReader implements ParsedYaml {
  readonly entries: ConfigEntry[] = [];
  readonly problems: Problem[] = [];
  readonly notices: Notice[] = [];
  readonly #lines = new LineCounter();
  #document: Document | undefined;
  #text = '';
  #nodes = 0;
  #aliases = 0;

  /** @param place the origin of a line and column of the text */
  constructor(
    private readonly place: (line: number, column: number) => Origin,
    private readonly limits: YamlLimits,
  ) {}

  read(text: string): void {
    this.#parse(text, (contents) => {
      if (isMap(contents)) this.#readMap(contents, TOP, this.entries);
      else this.#problem(offsetOf(contents), "expects 'key: value' lines at the top level");
    });
  }

  /** The value that the text as a whole is. */
  readText(text: string): ConfigNode | undefined {
    let node: ConfigNode | undefined;
    this.#parse(text, (contents) => {
      node = this.#item(contents, 0);
    });
    return node;
  }

  #parse(text: string, take: (contents: Node) => void): void {
    this.#text = text;
    try {
      if (isNestedTooDeeply(text, this.limits.maxDepth)) {
        throw new LimitReached(`is nested more than ${this.limits.maxDepth} levels deep`);
      }
      const documents = parseAllDocuments(text, {
        lineCounter: this.#lines,
        prettyErrors: false,
        logLevel: 'silent',
        // Checked below: here it would take time by the square of the number of keys.
        uniqueKeys: false,
      });
      const [first, second] = documents;
      if (first === undefined) {
        return;
      }
      this.#readDocument(first, take);
      if (second !== undefined && this.problems.length === 0) {
        this.#hint(second.range[0], 'only the first YAML document of a file is read');
      }
    } catch (error) {
      if (!(error instanceof LimitReached)) {
        throw error;
      }
      this.#problem(0, error.message);
    }
  }

  #readDocument(document: Document.Parsed, take: (contents: Node) => void): void {
    this.#document = document;
    for (const error of document.errors.slice(0, MAX_SYNTAX_ERRORS)) {
      this.#problem(error.pos[0], describeSyntaxError(error));
    }
    for (const warning of document.warnings) {
      this.#hint(warning.pos[0], firstLine(warning.message));
    }
    const contents = document.contents as Node | null;
    if (document.errors.length > 0 || contents === null || (isScalar(contents) && contents.value === null)) {
      return;
    }
    take(contents);
  }

  #readMap(map: YAMLMap, place: Place, into: ConfigEntry[]): void {
    const lineOf = new Map<string, number>();
    for (const pair of map.items as Pair<Node, Node | null>[]) {
      this.#countNode(place.depth);
      const key = this.#resolve(pair.key);
      if (!isScalar(key)) {
        this.#problem(offsetOf(pair.key), 'a key must be a plain text');
        continue;
      }
      const keyText = scalarText(key);
      if (keyText === '<<') {
        this.#readMerge(map, pair.value, place, into);
        continue;
      }
      const origin = this.#at(offsetOf(pair.key));
      const parts = keyText.split('.');
      const path = [...place.path, ...parts];
      if (path.length > this.limits.maxDepth) {
        throw new LimitReached(`has keys of more than ${this.limits.maxDepth} parts`);
      }
      if (parts.includes('')) {
        const message = 'a key must not be empty or have empty parts between dots';
        this.problems.push({ origin, path: path.join('.'), message });
        continue;
      }
      const earlier = lineOf.get(keyText);
      if (earlier !== undefined) {
        const message = `is set twice in this group, first in line ${earlier}; keep one of them`;
        this.problems.push({ origin, path: path.join('.'), message });
        continue;
      }
      lineOf.set(keyText, this.#lines.linePos(offsetOf(pair.key)).line);
      const keyOrigins = [...place.keyOrigins, ...parts.map(() => origin)];
      this.#readValue(pair.value, { path, keyOrigins, depth: place.depth + 1 }, into);
    }
  }

  /** `<<: *base`: keys of the base that the map does not have itself (YAML 1.1 merge keys, which go-yaml reads). */
  #readMerge(map: YAMLMap, value: Node | null, place: Place, into: ConfigEntry[]): void {
    const own = new Set((map.items as Pair<Node>[]).map(({ key }) => (isScalar(key) ? scalarText(key) : '')));
    for (const base of isSeq(value) ? (value.items as Node[]) : [value]) {
      const resolved = this.#resolve(base);
      if (!isMap(resolved)) {
        this.#problem(offsetOf(base), "'<<' expects a map or a list of maps");
        continue;
      }
      const missing = resolved.items.filter(({ key }) => !(isScalar(key) && own.has(scalarText(key))));
      for (const { key } of missing) {
        own.add(isScalar(key) ? scalarText(key) : '');
      }
      const part = new YAMLMap();
      part.items = missing;
      this.#readMap(part, { ...place, depth: place.depth + 1 }, into);
    }
  }

  #readValue(value: Node | null, place: Place, into: ConfigEntry[]): void {
    this.#countNode(place.depth);
    const resolved = this.#resolve(value);
    if (isMap(resolved)) {
      this.#readMap(resolved, place, into);
      return;
    }
    const leaf = this.#leaf(resolved, value, place.depth);
    if (leaf !== undefined) {
      into.push({ path: place.path, keyOrigins: place.keyOrigins, leaf });
    }
  }

  #leaf(resolved: Node | null, written: Node | null, depth: number): Leaf | undefined {
    const origin = this.#at(offsetOf(written));
    if (isSeq(resolved)) {
      const items = (resolved.items as Node[]).map((item) => this.#item(item, depth + 1));
      return { kind: 'list', items, origin };
    }
    if (!isScalar(resolved) || resolved.value === null) return undefined;
    const column = blockColumn(resolved, this.#text);
    return {
      kind: 'scalar',
      text: scalarText(resolved),
      origin,
      ...(column === undefined ? {} : { blockColumn: column }),
    };
  }

  #item(item: Node, depth: number): ConfigNode {
    this.#countNode(depth);
    const node = new ConfigNode(this.#at(offsetOf(item)));
    const resolved = this.#resolve(item);
    if (isMap(resolved)) {
      const entries: ConfigEntry[] = [];
      this.#readMap(resolved, { ...TOP, depth }, entries);
      for (const entry of entries) {
        insertEntry(node, entry);
      }
    } else {
      node.leaf = this.#leaf(resolved, item, depth);
    }
    return node;
  }

  /** What an alias stands for; every other node is itself. */
  #resolve(node: Node | null): Node | null {
    if (!isAlias(node)) {
      return node;
    }
    this.#aliases += 1;
    if (this.#aliases > this.limits.maxAliasCount) {
      throw new LimitReached(`uses more than ${this.limits.maxAliasCount} aliases (*name); write the values out`);
    }
    const target = this.#document === undefined ? undefined : node.resolve(this.#document);
    if (target === undefined) {
      this.#problem(offsetOf(node), `nothing above is marked '&${node.source}'`);
    }
    return target ?? null;
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
    return this.place(Math.max(1, line), Math.max(1, col));
  }

  #problem(offset: number, message: string): void {
    this.problems.push({ origin: this.#at(offset), path: '', message });
  }

  #hint(offset: number, message: string): void {
    this.notices.push({ kind: 'hint', origin: this.#at(offset), path: '', message });
  }
}
