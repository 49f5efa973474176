import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Json } from '../http/call.js';
import type { CheckRecord, ServiceRecord } from '../store/records.js';
import type { Target } from './behaviour.js';

/** Far more than an agent takes to bring a change to its catalog. */
const FOLLOWS_WITHIN_MS = 8_000;
const LOOK_EVERY_MS = 20;

export interface ProbeAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** `X-Consul-Index`; 0 when there is none. */
  readonly index: number;
}

/** An entry of `/v1/health/service`. */
export interface HealthEntry {
  readonly Node: { readonly Node: string; readonly Address: string; readonly Datacenter: string };
  readonly Service: Partial<ServiceRecord> & { readonly ID: string };
  readonly Checks: readonly CheckRecord[];
}

/** A client of the agent's API without opinions: it sends what it is told and shows what comes. */
export class Probe {
  /** Added to names, so that runs do not meet. */
  readonly run = randomUUID().slice(0, 8);

  /** @param token of every request */
  constructor(
    readonly target: Target,
    readonly token?: string,
  ) {}

  name(word: string): string {
    return `${word}-${this.run}`;
  }

  /** @param path below `/v1` */
  async send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<ProbeAnswer> {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const answer = await fetch(`${this.target.url}/v1${path}`, {
      method,
      headers: { ...(this.token === undefined ? {} : { 'x-consul-token': this.token }), ...headers },
      ...(text === undefined ? {} : { body: text }),
    });
    const index = Number(answer.headers.get('x-consul-index') ?? 0);
    return { status: answer.status, headers: answer.headers, text: await answer.text(), index };
  }

  /** An answer that must be good. */
  async done(method: string, path: string, body?: unknown): Promise<ProbeAnswer> {
    const answer = await this.send(method, path, body);
    equal(answer.status, 200, `${method} ${path}: ${answer.status} ${answer.text}`);
    return answer;
  }

  async ask<T>(path: string): Promise<T> {
    const answer = await this.done('GET', path);
    match(answer.headers.get('content-type') ?? '', /^application\/json/);
    return JSON.parse(answer.text) as T;
  }

  /** Holds when the agent refuses with this status and a text that fits. */
  async refused(status: number, text: RegExp, method: string, path: string, body?: unknown): Promise<void> {
    const answer = await this.send(method, path, body);
    equal(answer.status, status, `${method} ${path}: ${answer.status} ${answer.text}`);
    match(answer.text, text);
  }

  /** Registers an instance; it passes unless a check says otherwise. @returns its id */
  async register(definition: Json & { readonly Name: string }): Promise<string> {
    await this.done('PUT', '/agent/service/register', { Address: '127.0.0.1', Port: 8080, ...definition });
    const { ID = definition.Name } = definition;
    return String(ID);
  }

  async healthy(name: string, query = ''): Promise<readonly HealthEntry[]> {
    return await this.ask<HealthEntry[]>(`/health/service/${name}${query}`);
  }

  /** Ids of the instances that a query for health shows, sorted. */
  async ids(name: string, query = ''): Promise<readonly string[]> {
    return (await this.healthy(name, query)).map(({ Service }) => Service.ID).sort();
  }

  /** Resolves once these are shown: the catalog of a real agent follows what is registered with it. */
  async untilIds(name: string, ids: readonly string[], query = ''): Promise<void> {
    await this.eventually(async () => deepEqual(await this.ids(name, query), [...ids].sort()));
  }

  /** Status of the only check of an instance. */
  async status(name: string, id: string): Promise<string | undefined> {
    const entry = (await this.healthy(name)).find(({ Service }) => Service.ID === id);
    return entry?.Checks.find(({ ServiceID }) => ServiceID === id)?.Status;
  }

  async untilStatus(name: string, id: string, status: string): Promise<void> {
    await this.eventually(async () => equal(await this.status(name, id), status));
  }

  /** Index of a query once nothing moves any more: two answers that follow each other have it. */
  async settledIndex(path: string): Promise<number> {
    let index = 0;
    await this.eventually(async () => {
      const [before, next] = [index, (await this.send('GET', path)).index];
      index = next;
      ok(before === next && next > 0, 'the index still moves');
    });
    return index;
  }

  /** Tries until `check` passes; its last failure otherwise. */
  async eventually(check: () => Promise<void>): Promise<void> {
    for (let waited = 0; ; waited += LOOK_EVERY_MS) {
      try {
        return await check();
      } catch (error) {
        if (waited >= FOLLOWS_WITHIN_MS) throw error;
        await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
      }
    }
  }
}

/** A blocking query from an index on. */
export function after(path: string, index: number, wait: string): string {
  return `${path}${path.includes('?') ? '&' : '?'}index=${index}&wait=${wait}`;
}
