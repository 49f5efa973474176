/** Segments of a path that make its template; what follows belongs to the last one. Real APIs are no deeper. */
const MAX_SEGMENTS = 12;
/** A segment that is longer is no name that somebody thought of. */
const LONGEST_NAME = 64;
/** Hexadecimal digits from which on a segment is an id and no word (`facade`, `deadbeef` have no figure in them). */
const SHORTEST_HEX = 8;
/** Letters and figures from which on a segment with several figures is an id: ULID, KSUID, ObjectId. */
const SHORTEST_TOKEN = 16;
const TOKEN_FIGURES = 4;
/** Milliseconds between two searches for what is idle, when there is no room: a flood of paths must not search at each call. */
const SWEEP_PAUSE_MS = 1000;

const ANY = '{id}';

/** Something that is kept per API. */
export interface ApiEntry {
  /** Monotonic milliseconds. */
  readonly lastUsedAt: number;
}

export interface ApiTableOptions {
  /** APIs with an entry of their own; the rest share one. */
  readonly max: number;
  /** Templates given by the user, e.g. `/users/{name}`. */
  readonly templates: readonly string[];
  /** Milliseconds without a call after which an entry makes room for another. */
  readonly idleMs: number;
}

/** One segment of the known paths. */
class Node<T> {
  children: Map<string, Node<T>> | undefined;
  /** What stands for ids and for segments in braces. */
  any: Node<T> | undefined;
  /** Entries by method. */
  entries: Map<string, T> | undefined;

  constructor(
    readonly template: string,
    readonly parent: Node<T> | undefined,
    readonly segment: string,
    /** Part of a template that the user gave: it stays. */
    public given: boolean,
  ) {}

  child(segment: string, isAny: boolean): Node<T> | undefined {
    return isAny ? this.any : this.children?.get(segment);
  }
}

/**
 * Something per API of a service: per method and path template. Templates are learnt from the paths that come: numbers, dates,
 * UUIDs and other ids become `{id}`. As paths come from callers, their number is bounded: when it is reached, idle ones are given
 * up, and if there are none, the rest shares one entry. A lookup allocates nothing but the segments of the path.
 */
export class ApiTable<T extends ApiEntry> {
  readonly #root = new Node<T>('', undefined, '', true);
  #size = 0;
  #sweptAt = -Infinity;
  #shared: T | undefined;

  /**
   * @param make gets the name of the API, e.g. `GET /users/{id}`
   * @param drop is told of entries that are given up
   */
  constructor(
    private readonly options: ApiTableOptions,
    private readonly make: (api: string) => T,
    private readonly drop: (entry: T) => void,
  ) {
    for (const template of options.templates) {
      let node = this.#root;
      for (const segment of template.split('/')) {
        if (segment !== '') node = this.#grow(node, segment, segment.startsWith('{') && segment.endsWith('}'), true);
      }
    }
  }

  /** Entries, the shared one not included. */
  get size(): number {
    return this.#size;
  }

  /** @param path with query, as sent */
  of(method: string, path: string, now: () => number): T {
    const entry = this.peek(method, path);
    if (entry !== undefined) return entry;
    if (this.#size >= this.options.max) this.sweep(now());
    if (this.#size >= this.options.max) return (this.#shared ??= this.make('(other APIs)'));
    return this.#learn(method, path);
  }

  /** What there is already for the very API. */
  peek(method: string, path: string): T | undefined {
    let node: Node<T> | undefined = this.#root;
    for (let from = 0, depth = 0; node !== undefined; depth++) {
      const start = startOfSegment(path, from);
      if (start < 0 || depth === MAX_SEGMENTS) return node.entries?.get(method);
      from = endOfSegment(path, start);
      if (isId(path, start, from)) node = node.any;
      else node = node.children?.get(path.slice(start, from)) ?? (node.any?.given === true ? node.any : undefined);
    }
    return undefined;
  }

  /** Every entry, the shared one included. */
  *all(): Generator<T> {
    yield* entriesBelow(this.#root);
    if (this.#shared !== undefined) yield this.#shared;
  }

  /** Gives up what was idle for too long. */
  sweep(now: number): void {
    if (now - this.#sweptAt < SWEEP_PAUSE_MS) return;
    this.#sweptAt = now;
    this.#sweepBelow(this.#root, now - this.options.idleMs);
  }

  #sweepBelow(node: Node<T>, before: number): void {
    for (const [method, entry] of node.entries ?? []) {
      if (entry.lastUsedAt >= before) continue;
      node.entries?.delete(method);
      this.#size--;
      this.drop(entry);
    }
    for (const child of node.children?.values() ?? []) this.#sweepBelow(child, before);
    if (node.any !== undefined) this.#sweepBelow(node.any, before);
    const { parent } = node;
    const isEmpty = !node.entries?.size && !node.children?.size && node.any === undefined;
    if (!isEmpty || node.given || parent === undefined) return;
    if (parent.any === node) parent.any = undefined;
    else parent.children?.delete(node.segment);
  }

  #learn(method: string, path: string): T {
    let node = this.#root;
    for (let from = 0, depth = 0; depth < MAX_SEGMENTS; depth++) {
      const start = startOfSegment(path, from);
      if (start < 0) break;
      from = endOfSegment(path, start);
      const id = isId(path, start, from);
      const segment = id ? ANY : copy(path, start, from);
      const known: Node<T> | undefined = node.child(segment, id) ?? (node.any?.given === true ? node.any : undefined);
      node = known ?? this.#grow(node, segment, id, false);
    }
    const entry = this.make(`${method} ${node.template === '' ? '/' : node.template}`);
    (node.entries ??= new Map()).set(method, entry);
    this.#size++;
    return entry;
  }

  #grow(node: Node<T>, segment: string, isAny: boolean, given: boolean): Node<T> {
    const found = node.child(segment, isAny);
    if (found !== undefined) {
      found.given ||= given;
      return found;
    }
    const child = new Node<T>(`${node.template}/${segment}`, node, segment, given);
    if (isAny) node.any = child;
    else (node.children ??= new Map<string, Node<T>>()).set(segment, child);
    return child;
  }
}

function* entriesBelow<T>(node: Node<T>): Generator<T> {
  yield* node.entries?.values() ?? [];
  for (const child of node.children?.values() ?? []) yield* entriesBelow(child);
  if (node.any !== undefined) yield* entriesBelow(node.any);
}

/** A text of its own: a slice would keep the whole head of the request alive. */
function copy(path: string, start: number, end: number): string {
  return Buffer.from(path.slice(start, end), 'utf16le').toString('utf16le');
}

const SLASH = 47;
const QUESTION = 63;
const HASH = 35;

/** Index of the next segment that is not empty; -1 at the end of the path. */
function startOfSegment(path: string, from: number): number {
  for (let i = from; i < path.length; i++) {
    const char = path.charCodeAt(i);
    if (char === QUESTION || char === HASH) return -1;
    if (char !== SLASH) return i;
  }
  return -1;
}

function endOfSegment(path: string, start: number): number {
  for (let i = start; i < path.length; i++) {
    const char = path.charCodeAt(i);
    if (char === SLASH || char === QUESTION || char === HASH) return i;
  }
  return path.length;
}

/** Whether a segment names one thing among many: a number, a date, a UUID, a hexadecimal or other long id. */
function isId(path: string, start: number, end: number): boolean {
  const length = end - start;
  if (length > LONGEST_NAME) return true;
  let figures = 0;
  let hex = 0;
  let dashes = 0;
  let letters = 0;
  for (let i = start; i < end; i++) {
    const char = path.charCodeAt(i);
    if (char >= 48 && char <= 57) figures++;
    else if (char === 45) dashes++;
    else {
      const lower = char | 32;
      if (lower >= 97 && lower <= 102) hex++;
      else if (lower > 102 && lower <= 122) letters++;
      else return false;
    }
  }
  if (figures === 0) return false;
  if (hex === 0 && letters === 0) return true;
  if (letters === 0) return length - dashes >= SHORTEST_HEX && (dashes === 0 || dashes === 4);
  return dashes === 0 && length >= SHORTEST_TOKEN && figures >= TOKEN_FIGURES;
}
