import type { Ports } from '@mesher/core';
import { SC_CODE } from './error-codes.js';
import { ServiceCenterError } from './service-center-error.js';

/** A token is renewed when this share of its life is over: enough time is left to try again. */
const RENEW_AT = 0.8;
/** Life of a token whose end cannot be read or was before it began, in milliseconds: that of service-center's handbook. */
const DEFAULT_LIFE_MS = 1_800_000;
/** After a login that was refused, in milliseconds: a few wrong ones block the account for 15 minutes. */
const DENIED_PAUSE_MS = 60_000;
const BLOCKED_PAUSE_MS = 900_000;

/** Asks service-center for a token. @throws ServiceCenterError */
export type Login = (signal: AbortSignal) => Promise<string>;

interface Token {
  readonly text: string;
  /** Monotonic milliseconds. */
  readonly renewAt: number;
}

/** Keeps a token of service-center's access control, and gets a new one before it runs out. One login at a time serves everybody. */
export class TokenSource {
  #token: Token | undefined;
  #underWay: Promise<string> | undefined;
  #denied: { readonly until: number; readonly error: ServiceCenterError } | undefined;
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
    if (this.#denied !== undefined && now < this.#denied.until) throw this.#denied.error;
    this.#underWay ??= this.#renew().finally(() => (this.#underWay = undefined));
    return await unlessAborted(this.#underWay, signal);
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
      const lifeMs = lifeOf(text, this.ports.clock.wallTime());
      this.#token = { text, renewAt: this.ports.clock.now() + lifeMs * RENEW_AT };
      return text;
    } catch (error) {
      if (error instanceof ServiceCenterError && error.code === 'SC_DENIED') {
        const pauseMs = error.errorCode === SC_CODE.accountBlocked ? BLOCKED_PAUSE_MS : DENIED_PAUSE_MS;
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
