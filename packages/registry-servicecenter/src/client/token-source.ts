import type { Ports } from '@mesher/core';
import { SC_CODE } from './error-codes.js';
import { ServiceCenterError } from './service-center-error.js';

/** A token is renewed when this share of its life is over: enough time is left to try again. */
const RENEW_AT = 0.8;
/** Life of a token whose end cannot be read or was before it began, in milliseconds: that of service-center's handbook. */
const DEFAULT_LIFE_MS = 1_800_000;
/**
 * After a login that was refused, in milliseconds. The third one within 15 minutes blocks the account, for others at this address too:
 * there is a second chance soon, and each further one when service-center has forgotten the last.
 */
const DENIED_PAUSE_MS = 60_000;
const BLOCKED_PAUSE_MS = 900_000;

/** Asks service-center for a token. @throws ServiceCenterError */
export type Login = (signal: AbortSignal) => Promise<string>;

interface Token {
  readonly text: string;
  /** Monotonic milliseconds, as is the next one. */
  readonly renewAt: number;
  readonly endsAt: number;
}

/** Keeps a token of service-center's access control, and gets a new one before it runs out. One login at a time serves everybody. */
export class TokenSource {
  #token: Token | undefined;
  #underWay: Promise<string> | undefined;
  #denied: { readonly until: number; readonly error: ServiceCenterError } | undefined;
  /** Logins in a row that were refused. */
  #refusals = 0;
  readonly #end = new AbortController();

  constructor(
    private readonly login: Login,
    private readonly ports: Ports,
  ) {}

  /** @throws ServiceCenterError when there is no token to be had; the reason of `signal` when it aborts */
  async get(signal: AbortSignal): Promise<string> {
    const now = this.ports.clock.now();
    const token = this.#token;
    if (token !== undefined && now < token.renewAt) return token.text;
    // One that could not be renewed in time is good until its end.
    const usable = token !== undefined && now < token.endsAt ? token.text : undefined;
    if (this.#denied !== undefined && now < this.#denied.until) {
      if (usable !== undefined) return usable;
      throw this.#denied.error;
    }
    this.#underWay ??= this.#renew().finally(() => (this.#underWay = undefined));
    try {
      return await unlessAborted(this.#underWay, signal);
    } catch (error) {
      if (usable === undefined || signal.aborted || this.#token !== token) throw error;
      return usable;
    }
  }

  /** The server does not take this token any more: the next question asks for another one. */
  reject(token: string): void {
    if (this.#token?.text === token) this.#token = undefined;
  }

  close(): void {
    this.#end.abort();
  }

  async #renew(): Promise<string> {
    try {
      const text = await this.login(this.#end.signal);
      this.#denied = undefined;
      this.#refusals = 0;
      const lifeMs = lifeOf(text, this.ports.clock.wallTime());
      const now = this.ports.clock.now();
      this.#token = { text, renewAt: now + lifeMs * RENEW_AT, endsAt: now + lifeMs };
      return text;
    } catch (error) {
      if (error instanceof ServiceCenterError && error.code === 'SC_DENIED') {
        const isFirst = ++this.#refusals === 1 && error.errorCode !== SC_CODE.accountBlocked;
        const pauseMs = isFirst ? DENIED_PAUSE_MS : BLOCKED_PAUSE_MS;
        this.#denied = { until: this.ports.clock.now() + pauseMs, error };
      }
      throw error;
    }
  }
}

/**
 * Milliseconds from issue to end as a JWT (RFC 7519) says; with `iat` the clocks of the two machines need not agree. The signature is
 * the server's business.
 */
function lifeOf(token: string, wallTime: number): number {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    const { exp, iat } = claims as { readonly exp?: unknown; readonly iat?: unknown };
    if (typeof exp !== 'number') return DEFAULT_LIFE_MS;
    const life = exp * 1000 - (typeof iat === 'number' ? iat * 1000 : wallTime);
    // The clocks disagree: a token that is over sooner than that is refused, and replaced then.
    return life > 0 ? life : DEFAULT_LIFE_MS;
  } catch {
    return DEFAULT_LIFE_MS;
  }
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
