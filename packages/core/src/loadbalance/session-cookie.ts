import { createHmac } from 'node:crypto';
import type { Field, Invocation } from '../invocation.js';
import type { Endpoint } from '../registry/endpoint.js';
import { cookieField, cookieOf, setCookie } from './hash/cookie.js';

/** See `cse.loadbalance.SessionStickinessRule`. */
export interface SessionRule {
  readonly cookieName: string;
  /** Seconds, from the last answer on; 0: until the browser is closed. */
  readonly timeoutS: number;
  /** Failures in a row after which sessions leave an endpoint; 0: never. */
  readonly failures: number;
  /** Key of the hash that names an endpoint. */
  readonly secret: string;
}

/** How an endpoint is called in cookies, under a rule. */
export interface SessionMark {
  readonly rule: SessionRule;
  readonly token: string;
  readonly field: Field;
}

/** Characters of a name: 96 bits, so that two endpoints never share one. */
const TOKEN_LENGTH = 16;

/**
 * Keeps the calls of a client at one endpoint by a cookie. Its value is a keyed hash of the address: it shows nothing to those without
 * the key, every sidecar that has it knows which endpoint is meant, and nobody keeps a list of sessions.
 */
export class SessionCookie {
  #byToken: Map<string, Endpoint> | undefined;

  constructor(
    private readonly endpoints: readonly Endpoint[],
    readonly rule: SessionRule,
  ) {}

  /** The endpoint that the client was at before, as its cookie says, while its sessions need not leave it. */
  find(call: Invocation): Endpoint | undefined {
    const token = cookieOf(call.header('cookie'), this.rule.cookieName);
    if (token === undefined) return undefined;
    this.#byToken ??= new Map(this.endpoints.map((endpoint) => [this.#mark(endpoint).token, endpoint]));
    const endpoint = this.#byToken.get(token);
    return endpoint === undefined || this.#mustLeave(endpoint) ? undefined : endpoint;
  }

  /** Lets the answer carry a cookie for `endpoint`; with a lifetime in every answer, so that it runs from the last one on. */
  keep(call: Invocation, endpoint: Endpoint, isNew: boolean): void {
    if (call.protocol === 'tcp' || (!isNew && this.rule.timeoutS === 0)) return;
    setCookie(call, this.rule.cookieName, this.#mark(endpoint).field);
  }

  #mustLeave(endpoint: Endpoint): boolean {
    return this.rule.failures > 0 && endpoint.failuresInARow >= this.rule.failures;
  }

  /**
   * What the cookie says of the endpoint. Kept in the endpoint, which outlives this object: to name 10,000 of them takes 20 ms, and would
   * do so for each snapshot.
   */
  #mark(endpoint: Endpoint): SessionMark {
    const { rule } = this;
    const known = endpoint.sessionMark;
    if (known?.rule === rule) return known;
    const token = known?.rule.secret === rule.secret ? known.token : tokenOf(endpoint, rule.secret);
    const mark = { rule, token, field: cookieField(rule.cookieName, token, rule.timeoutS) };
    endpoint.sessionMark = mark;
    return mark;
  }
}

function tokenOf({ key }: Endpoint, secret: string): string {
  return createHmac('sha256', secret).update(key).digest('base64url').slice(0, TOKEN_LENGTH);
}
