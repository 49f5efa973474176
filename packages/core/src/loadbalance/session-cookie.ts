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

/** Characters of a name: 96 bits, so that two endpoints never share one. */
const TOKEN_LENGTH = 16;

/**
 * Keeps the calls of a client at one endpoint by a cookie. Its value is a keyed hash of the address: it shows nothing, every sidecar with
 * the same key knows which endpoint is meant, and nobody keeps a list of sessions.
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
    this.#byToken ??= new Map(this.endpoints.map((endpoint) => [this.#token(endpoint), endpoint]));
    const endpoint = this.#byToken.get(token);
    return endpoint === undefined || this.#mustLeave(endpoint) ? undefined : endpoint;
  }

  /** Lets the answer carry a cookie for `endpoint`; with a lifetime in every answer, so that it runs from the last one on. */
  keep(call: Invocation, endpoint: Endpoint, isNew: boolean): void {
    if (call.protocol === 'tcp' || (!isNew && this.rule.timeoutS === 0)) return;
    setCookie(call, this.rule.cookieName, this.#field(endpoint));
  }

  #mustLeave(endpoint: Endpoint): boolean {
    return this.rule.failures > 0 && endpoint.failuresInARow >= this.rule.failures;
  }

  #field(endpoint: Endpoint): Field {
    return cookieField(this.rule.cookieName, this.#token(endpoint), this.rule.timeoutS);
  }

  /** Kept in the endpoint, which outlives this object: a snapshot of 10,000 instances would take 20 ms of hashing each time. */
  #token(endpoint: Endpoint): string {
    const { secret } = this.rule;
    if (endpoint.sessionToken === undefined || endpoint.sessionTokenKey !== secret) {
      endpoint.sessionToken = createHmac('sha256', secret)
        .update(endpoint.key)
        .digest('base64url')
        .slice(0, TOKEN_LENGTH);
      endpoint.sessionTokenKey = secret;
    }
    return endpoint.sessionToken;
  }
}
