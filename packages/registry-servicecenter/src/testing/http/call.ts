import type { IncomingHttpHeaders } from 'node:http';
import { RegistryError } from '../store/registry-error.js';
import { isObject, type Json } from '../store/field-rules.js';
import type { RegistryStore } from '../store/registry-store.js';
import type { Tenant } from '../store/tenant.js';

/** A request as the handlers of the API see it. */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Address of who asks. */
  readonly peer: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The parts of the path that the route names. */
  readonly params: Readonly<Record<string, string>>;
  readonly registry: RegistryStore;
  readonly tenant: Tenant;
}

/** What a handler answers: nothing is an empty body, as service-center answers when there is nothing to say. */
export interface Answer {
  readonly status?: number;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

export const EMPTY: Answer = {};

/** The body. @throws RegistryError 400001 when it is no JSON object */
export function jsonOf(call: Call): Json {
  try {
    const json: unknown = JSON.parse(call.text);
    if (isObject(json)) return json;
  } catch {
    // Told below.
  }
  throw new RegistryError(400001, 'Unmarshal error');
}

/** A part of the path. */
export function param(call: Call, name: string): string {
  return call.params[name] ?? '';
}

/** A parameter of the query; empty when it is absent, as in service-center. */
export function queryOf(call: Call, name: string): string {
  return call.query.get(name) ?? '';
}

/** True for `1` and `true`. */
export function flagOf(call: Call, name: string): boolean {
  return ['1', 'true'].includes(queryOf(call, name));
}

/** The service that asks, by `X-ConsumerId`. */
export function consumerOf(call: Call): { readonly consumerId?: string } {
  const id = call.headers['x-consumerid'];
  return typeof id === 'string' && id !== '' ? { consumerId: id } : {};
}

/** An answer for who may have it already: 304 when `rev` of the question is the present revision. */
export function revised(call: Call, revision: string, body: () => object): Answer {
  const headers = { 'x-resource-revision': revision };
  const fresh = ['noCache', 'cacheOnly'].some((name) => flagOf(call, name));
  return !fresh && queryOf(call, 'rev') === revision ? { status: 304, headers } : { body: body(), headers };
}
