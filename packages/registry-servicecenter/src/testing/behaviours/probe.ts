import { deepEqual, equal, fail, ok } from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Json } from '../store/field-rules.js';
import type { Target } from './behaviour.js';
import { SocketProbe } from './socket-probe.js';

/** Far more than the caches of a real server take to follow a change. */
const FOLLOWS_WITHIN_MS = 8_000;
const LOOK_EVERY_MS = 50;

export interface ProbeAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** Shape of what the API answers, as far as the behaviours look at it. */
export interface Body {
  readonly [name: string]: unknown;
  readonly serviceId?: string;
  readonly instanceId?: string;
  readonly instances?: readonly Body[];
}

/** A client of the registry API without opinions: it sends what it is told and shows what comes. */
export class Probe {
  /** Added to names, so that runs do not meet. */
  readonly run = randomUUID().slice(0, 8);

  constructor(readonly target: Target) {}

  name(word: string): string {
    return `${word}-${this.run}`;
  }

  /** @param path below `/v4/default/registry`, or a whole one from `/v4/` */
  async send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<ProbeAnswer> {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const answer = await fetch(this.target.url + whole(path), {
      method,
      headers: { 'content-type': 'application/json', ...this.#authorization(), ...headers },
      ...(text === undefined ? {} : { body: text }),
    });
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  }

  /** @param path a whole one, of whatever version of the API */
  async old(method: string, path: string): Promise<ProbeAnswer> {
    const answer = await fetch(this.target.url + path, { method, headers: this.#authorization() });
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  }

  /** The body of an answer that must be good; empty when nothing is said. */
  async ask(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Body> {
    const answer = await this.send(method, path, body, headers);
    equal(answer.status, 200, `${method} ${path}: ${answer.status} ${answer.text}`);
    if (answer.text === '') {
      ok(answer.headers.get('content-type')?.startsWith('text/plain'), 'an empty answer says that it is plain text');
      return {};
    }
    return JSON.parse(answer.text) as Body;
  }

  /** Holds when the server refuses with this code. */
  async refused(
    code: number,
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<void> {
    const { status, text } = await this.send(method, path, body, headers);
    const told = text === '' ? {} : (JSON.parse(text) as Body);
    equal(told['errorCode'], String(code), `${method} ${path}: ${status} ${text}`);
    equal(typeof told['errorMessage'], 'string');
    equal(status, Math.floor(code / 1_000));
  }

  async service(serviceName: string, more: Json = {}): Promise<string> {
    const { serviceId } = await this.ask('POST', '/microservices', {
      service: { serviceName, version: '1.0.0', ...more },
    });
    return serviceId ?? fail('no serviceId');
  }

  async instance(serviceId: string, more: Json = {}): Promise<string> {
    const instance = { hostName: 'probe', endpoints: ['rest://127.0.0.1:8080'], ...more };
    const { instanceId } = await this.ask('POST', `/microservices/${serviceId}/instances`, { instance });
    return instanceId ?? fail('no instanceId');
  }

  /** Ids of the instances that are found, sorted. */
  async found(
    serviceName: string,
    query: Record<string, string> = {},
    consumerId?: string,
  ): Promise<readonly string[]> {
    const body = await this.ask('GET', findPath(serviceName, query), undefined, asConsumer(consumerId));
    return (body.instances ?? []).map(({ instanceId }) => instanceId ?? '').sort();
  }

  /** Resolves once these are found: a real server finds from caches that follow its store. */
  async untilFound(
    serviceName: string,
    ids: readonly string[],
    query?: Record<string, string>,
    consumerId?: string,
  ): Promise<void> {
    await this.eventually(async () => deepEqual(await this.found(serviceName, query, consumerId), [...ids].sort()));
  }

  /** Makes `consumerId` a consumer of the service, and waits until that is known. */
  async depend(consumerId: string, serviceName: string, providerId: string): Promise<void> {
    await this.eventually(async () => {
      await this.found(serviceName, {}, consumerId);
      const { providers = [] } = await this.ask('GET', `/microservices/${consumerId}/providers`);
      ok(
        (providers as Body[]).some(({ serviceId }) => serviceId === providerId),
        'the dependency is not known',
      );
    });
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

  async socket(path: string): Promise<SocketProbe> {
    return await SocketProbe.open(this.target.url.replace(/^http/, 'ws') + whole(path), this.#authorization());
  }

  #authorization(): Record<string, string> {
    return this.target.token === undefined ? {} : { authorization: `Bearer ${this.target.token}` };
  }
}

/** Asks for all versions: service-center 1.x refuses a question without a version rule, 2.x ignores it. */
export function findPath(serviceName: string, query: Record<string, string> = {}): string {
  return `/instances?${new URLSearchParams({ appId: 'default', serviceName, version: '0+', ...query }).toString()}`;
}

export function asConsumer(consumerId: string | undefined): Record<string, string> {
  return consumerId === undefined ? {} : { 'x-consumerid': consumerId };
}

function whole(path: string): string {
  return path.startsWith('/v4/') ? path : `/v4/default/registry${path}`;
}
