import { parseJsonInSlices } from '@mesher/core';
import type { AddressPool } from './address-pool.js';
import { isServerTrouble, SC_CODE } from './error-codes.js';
import type { Answer, Request, Requests } from './requests.js';
import { ServiceCenterError } from './service-center-error.js';
import type { TokenSource } from './token-source.js';
import { excerptOf } from './wire-model.js';

export interface Call {
  readonly method: Request['method'];
  /** With the query, below the base of an address. */
  readonly path: string;
  readonly body?: unknown;
  /** The service that asks: service-center then notes that it depends on what it asks for. */
  readonly consumerId?: string | undefined;
  /** True for what an account without login may ask. */
  readonly anonymous?: boolean;
}

/** Makes of a body what was asked for. @throws ServiceCenterError SC_ANSWER when it is no answer to the question */
export type Read<T> = (body: unknown) => T;

export interface Reply {
  readonly status: number;
  /** Parsed; undefined for an empty body. */
  readonly body: unknown;
}

export interface CallSettings {
  readonly timeoutMs: number;
  /** Tenant, for `X-Domain-Name`. */
  readonly domain: string;
}

/** Most addresses that one call tries: a caller that waits should hear of the trouble before its patience ends. */
const MAX_TRIES = 3;

/** Bytes of a strange answer of which a message shows some: it may have megabytes. */
const MAX_EXCERPT_BYTES = 500;

/** Bytes up to this one are blanks, or nothing that a text shows. */
const BLANK = 0x20;

/**
 * Calls to whichever address of service-center works. All of its operations that Mesher uses may be repeated: an address that fails, or
 * answers nonsense, is left for the next one.
 */
export class Calls {
  constructor(
    private readonly pool: AddressPool,
    private readonly requests: Requests,
    private readonly settings: CallSettings,
    private readonly tokens: TokenSource | undefined,
  ) {}

  /**
   * @param read fails for what is no answer to the question
   * @throws ServiceCenterError when no address gives a usable answer, or service-center refuses; the reason of `signal` when it aborts
   */
  async call<T>(call: Call, read: Read<T>, signal: AbortSignal): Promise<T> {
    let trouble: ServiceCenterError | undefined;
    for (const base of this.pool.order().slice(0, MAX_TRIES)) {
      try {
        const { body } = await this.#callWithToken(base, call, signal);
        // Whoever answers something else is no service-center, and the next address may be one.
        const result = read(body);
        this.pool.succeeded(base);
        return result;
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (!isTroubleOfAddress(error)) {
          // It answered, and sensibly.
          if (error instanceof ServiceCenterError && error.errorCode !== undefined) this.pool.succeeded(base);
          throw error;
        }
        this.pool.failed(base);
        trouble ??= error;
      }
    }
    throw trouble ?? new ServiceCenterError('SC_UNREACHABLE', 'service-center has no address');
  }

  /** Sends to one address, whatever its state; for probes and logins. @throws ServiceCenterError */
  async callAt(base: string, call: Call, token: string | undefined, signal: AbortSignal): Promise<Reply> {
    const answer = await this.requests.send(
      {
        method: call.method,
        url: `${base}${call.path}`,
        headers: this.headers(token, call.consumerId),
        timeoutMs: this.settings.timeoutMs,
        ...(call.body === undefined ? {} : { body: call.body }),
      },
      signal,
    );
    return await readReply(answer, base);
  }

  /** The fields of every request, WebSockets included. */
  headers(token: string | undefined, consumerId?: string): Record<string, string> {
    return {
      'content-type': 'application/json',
      'user-agent': 'mesher',
      'x-domain-name': this.settings.domain,
      ...(consumerId === undefined ? {} : { 'x-consumerid': consumerId }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
  }

  /** With a token where there is access control; one that was refused is replaced and the call sent once more. */
  async #callWithToken(base: string, call: Call, signal: AbortSignal): Promise<Reply> {
    if (this.tokens === undefined || call.anonymous === true) return await this.callAt(base, call, undefined, signal);
    const token = await this.tokens.get(signal);
    try {
      return await this.callAt(base, call, token, signal);
    } catch (error) {
      if (!isUnauthorized(error)) throw error;
      this.tokens.reject(token);
      return await this.callAt(base, call, await this.tokens.get(signal), signal);
    }
  }
}

function isUnauthorized(error: unknown): boolean {
  return error instanceof ServiceCenterError && Math.floor((error.errorCode ?? 0) / 1000) === 401;
}

function isTroubleOfAddress(error: unknown): error is ServiceCenterError {
  return error instanceof ServiceCenterError && (error.code === 'SC_UNREACHABLE' || error.code === 'SC_ANSWER');
}

/** @throws ServiceCenterError for everything but a 200 or a 304 that service-center may have said */
async function readReply({ status, bytes }: Answer, base: string): Promise<Reply> {
  if (status === 304) return { status, body: undefined };
  const isGood = status >= 200 && status < 300;
  const body = await parse(bytes);
  if (isGood && body !== NONSENSE) return { status, body };
  if (isGood)
    throw new ServiceCenterError('SC_ANSWER', `${base} answered something that is no JSON: ${excerpt(bytes)}`);
  const { code, message, detail } = errorOf(body, status);
  // The detail says which field it is.
  const reason = [message, detail].filter((text) => text !== '').join(': ');
  const said = `${base} answered ${code ?? status}${reason === '' ? excerpt(bytes) : `: ${reason}`}`;
  if (isServerTrouble(status, code)) throw new ServiceCenterError('SC_UNREACHABLE', said, code, detail);
  if (status === 401 || status === 403) {
    const advice =
      'check servicecomb.credentials.account.{name,password} and the roles of the account; accessKey and secretKey sign nothing';
    throw new ServiceCenterError('SC_DENIED', `${said}; ${advice}`, code ?? status * 1000, detail);
  }
  if (code === undefined) {
    throw new ServiceCenterError('SC_ANSWER', `${said}; is servicecomb.registry.address that of a service-center?`);
  }
  const advice =
    code === SC_CODE.quotaExceeded ? '; raise the quota of service-center, or remove what nobody uses' : '';
  throw new ServiceCenterError('SC_REFUSED', `${said}${advice}`, code, detail);
}

const NONSENSE: unique symbol = Symbol('nonsense');

/** An empty body, or one of blanks, is undefined: what has no result has none. */
async function parse(bytes: Uint8Array): Promise<unknown> {
  if (bytes.length <= MAX_EXCERPT_BYTES && bytes.every((byte) => byte <= BLANK)) return undefined;
  try {
    return await parseJsonInSlices(bytes);
  } catch (error) {
    if (error instanceof SyntaxError) return NONSENSE;
    throw error;
  }
}

function errorOf(body: unknown, status: number): { code: number | undefined; message: string; detail: string } {
  if (typeof body !== 'object' || body === null) return { code: undefined, message: '', detail: '' };
  const { errorCode, errorMessage, detail } = body as Readonly<Record<string, unknown>>;
  const code = typeof errorCode === 'string' || typeof errorCode === 'number' ? Number(errorCode) : NaN;
  const isCode = Number.isInteger(code) && (Math.floor(code / 1000) === status || code < 1000);
  return {
    code: isCode ? code : undefined,
    message: typeof errorMessage === 'string' ? excerptOf(errorMessage) : '',
    detail: typeof detail === 'string' ? excerptOf(detail) : '',
  };
}

function excerpt(bytes: Uint8Array): string {
  const words = excerptOf(Buffer.from(bytes.subarray(0, MAX_EXCERPT_BYTES)).toString('utf8'));
  return words === '' ? '' : `: ${words}`;
}
