import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { KieLabels, KieServer } from './kie-server.js';

/** Longest wait that Kie accepts. */
const MAX_WAIT_MS = 5 * 60_000;

interface Value {
  readonly id: string;
  readonly key: string;
  readonly labels: KieLabels;
  value: string;
  status: string;
  readonly createRevision: number;
  updateRevision: number;
}

interface Waiting {
  readonly labels: KieLabels;
  readonly exact: boolean;
  readonly wake: () => void;
}

export interface FakeKieOptions {
  /** Only requests with this token are let in. */
  readonly token?: string;
  /** 0 for a free one. */
  readonly port?: number;
}

/**
 * A Kie server as a test needs it, over real HTTP: revisions of the whole domain, exact and partial labels, long polls that end
 * only for a change of their labels, and the errors of the real one. A test of its own holds it to what the real server does.
 */
export class FakeKie implements KieServer {
  readonly #values = new Map<string, Value>();
  /** Values as they were before the last change of each. */
  readonly #former = new Map<string, Value | undefined>();
  #revision = 0;
  readonly #waiting = new Set<Waiting>();
  /** Queries that were asked, oldest first. */
  readonly asked: URLSearchParams[] = [];
  /** Paths that were asked, likewise. */
  readonly paths: string[] = [];
  /** Answered instead of what is right, until it is taken away. */
  failure: { readonly status: number; readonly body?: string; readonly headers?: Record<string, string> } | undefined;
  /** False makes a server that holds nothing back, as a gateway between might. */
  holdsBack = true;
  /** So many answers have the present revision and the values of before, as those of the real one have for an instant. */
  lagging = 0;
  #onChange: (() => void)[] = [];

  private constructor(
    private readonly server: Server,
    private readonly options: FakeKieOptions,
  ) {
    server.on('request', (request, response) => void this.#serve(request, response));
  }

  static async start(options: FakeKieOptions = {}): Promise<FakeKie> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
    return new FakeKie(server, options);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Long polls that are held back at the moment. */
  get held(): number {
    return this.#waiting.size;
  }

  /** Resolves once so many requests have come since the start. */
  async untilAsked(times: number): Promise<void> {
    while (this.asked.length < times) await this.#nextChange();
  }

  /** Resolves once exactly so many long polls are held back. */
  async untilHeld(polls: number): Promise<void> {
    while (this.held !== polls) await this.#nextChange();
  }

  put(labels: KieLabels, key: string, value: string, status: 'enabled' | 'disabled' = 'enabled'): Promise<void> {
    const id = idOf(labels, key);
    const updateRevision = ++this.#revision;
    const known = this.#values.get(id);
    this.#former.set(id, known === undefined ? undefined : { ...known });
    if (known !== undefined) Object.assign(known, { value, status, updateRevision });
    else this.#values.set(id, { id, key, labels, value, status, createRevision: updateRevision, updateRevision });
    this.#publish(labels);
    return Promise.resolve();
  }

  /** Drops a value without telling anybody. */
  forget(labels: KieLabels, key: string): void {
    this.#values.delete(idOf(labels, key));
  }

  remove(labels: KieLabels, key: string): Promise<void> {
    if (this.#values.delete(idOf(labels, key))) {
      this.#revision++;
      this.#publish(labels);
    }
    return Promise.resolve();
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  #nextChange(): Promise<void> {
    return new Promise((resolve) => this.#onChange.push(resolve));
  }

  /** Wakes who waits for questions, or for long polls to begin or end. */
  #tellChange(): void {
    for (const resolve of this.#onChange.splice(0)) resolve();
  }

  #publish(labels: KieLabels): void {
    for (const waiting of [...this.#waiting]) {
      if (matches(waiting.labels, labels, waiting.exact)) waiting.wake();
    }
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', this.url);
    this.asked.push(searchParams);
    this.paths.push(pathname);
    this.#tellChange();
    const { failure } = this;
    if (failure !== undefined) {
      response.writeHead(failure.status, failure.headers).end(failure.body ?? '');
      return;
    }
    if (this.options.token !== undefined && request.headers.authorization !== `Bearer ${this.options.token}`) {
      return refuse(response, 401, '401001', 'no authorized', 'token is invalid');
    }
    if (!/^\/v1\/[^/]+\/kie\/kv$/.test(pathname) || request.method !== 'GET') {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('404: Page Not Found');
      return;
    }
    await this.#list(searchParams, response);
  }

  async #list(query: URLSearchParams, response: ServerResponse): Promise<void> {
    const invalid = (detail: string): void => refuse(response, 400, '400001', 'invalid parameter(s)', detail);
    const labels: Record<string, string> = {};
    for (const label of query.getAll('label')) {
      const [name = '', value, ...more] = label.split(':');
      if (value === undefined || more.length > 0) return invalid('label value can not be empty');
      labels[name] = value;
    }
    const exact = query.get('match') === 'exact';
    const wait = query.get('wait');
    const waitMs = wait === null || wait === '' ? 0 : parseWait(wait);
    if (waitMs === undefined) return invalid(`time: invalid duration "${wait ?? ''}"`);
    const revision = query.get('revision');
    if (revision !== null && !/^-?\d+$/.test(revision)) {
      return invalid('revision param should be formed with number greater than 0');
    }
    if (revision === null ? waitMs === 0 : Number(revision) !== this.#revision) {
      return this.#answer(labels, exact, response);
    }
    if (waitMs > MAX_WAIT_MS) return refuse(response, 400, '400003', 'failed to observe event', 'wait param');
    if (waitMs > 0 && this.holdsBack && (await this.#waitFor(labels, exact, waitMs, response))) {
      return this.#answer(labels, exact, response);
    }
    response.writeHead(304).end();
  }

  async #waitFor(labels: KieLabels, exact: boolean, waitMs: number, response: ServerResponse): Promise<boolean> {
    return await new Promise<boolean>((resolve) => {
      const end = (changed: boolean): void => {
        clearTimeout(timer);
        this.#waiting.delete(waiting);
        this.#tellChange();
        resolve(changed);
      };
      const timer = setTimeout(() => end(false), waitMs);
      const waiting: Waiting = { labels, exact, wake: () => end(true) };
      this.#waiting.add(waiting);
      this.#tellChange();
      response.once('close', () => end(false));
    });
  }

  #answer(labels: KieLabels, exact: boolean, response: ServerResponse): void {
    const present = [...this.#values.values()];
    const shown = this.lagging-- > 0 ? present.flatMap((value) => this.#former.get(value.id) ?? []) : present;
    const data = shown
      .filter((value) => matches(labels, value.labels, exact))
      .map(({ createRevision, updateRevision, ...value }) => ({
        ...value,
        value_type: 'text',
        create_revision: createRevision,
        update_revision: updateRevision,
      }));
    response
      .writeHead(200, { 'content-type': 'application/json', 'x-kie-revision': String(this.#revision) })
      .end(JSON.stringify({ total: data.length, data }, undefined, 1));
  }
}

function idOf(labels: KieLabels, key: string): string {
  return JSON.stringify([key, Object.entries(labels).sort()]);
}

/** Whether values with `labels` are among those that `wanted` asks for. */
function matches(wanted: KieLabels, labels: KieLabels, exact: boolean): boolean {
  const names = Object.keys(wanted);
  if (exact && names.length !== Object.keys(labels).length) return false;
  return names.every((name) => labels[name] === wanted[name]);
}

/** `5s`, `100ms`, `1m`: enough of Go's durations for a test. */
function parseWait(text: string): number | undefined {
  const [, number, unit] = /^(\d+)(ms|s|m)$/.exec(text) ?? [];
  if (number === undefined) return undefined;
  return Number(number) * (unit === 'ms' ? 1 : unit === 's' ? 1_000 : 60_000);
}

function refuse(
  response: ServerResponse,
  status: number,
  errorCode: string,
  errorMessage: string,
  detail: string,
): void {
  response
    .writeHead(status, { 'content-type': 'application/json' })
    .end(JSON.stringify({ errorCode, errorMessage, detail }));
}
