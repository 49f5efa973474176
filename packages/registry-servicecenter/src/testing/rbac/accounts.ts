import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Ports } from '@mesher/core';
import { RegistryError } from '../store/registry-error.js';

/** Life of a token that was asked for without one: 12 h in the source of service-center, whose handbook says 30 min. */
const DEFAULT_LIFE_MS = 12 * 60 * 60_000;
/** Shortest and longest life that may be asked for. */
const SHORTEST_LIFE_MS = 15 * 60_000;
const LONGEST_LIFE_MS = 24 * 60 * 60_000;
/** A third wrong password within this time closes an account for as long. */
const BLOCKED_MS = 15 * 60_000;
const FORGIVEN_FAILURES = 2;
/** Longest name of an account. */
const MAX_NAME_LENGTH = 64;
/** Names with addresses whose wrong passwords are remembered: who makes names up must not fill the memory. */
const MAX_GUESSERS = 10_000;

export type Verb = 'get' | 'create' | 'update' | 'delete';

export interface AccountsOptions {
  /** Of the account `root`. */
  readonly rootPassword: string;
  /** Further names and their passwords; all may do everything, but for those in {@link verbs}. */
  readonly accounts?: Readonly<Record<string, string>>;
  /** What an account may do where that is not everything; the verbs of the roles of service-center. */
  readonly verbs?: Readonly<Record<string, readonly Verb[]>>;
  /** Life of every token, whatever is asked for: shorter than the real server would, for tests of renewal. */
  readonly tokenLifeMs?: number;
}

/** Who may use the registry: logins and the tokens that they give. */
export class Accounts {
  readonly #secret = randomBytes(32);
  readonly #passwords: ReadonlyMap<string, string>;
  readonly #failures = new Map<string, number[]>();
  #generation = 0;

  constructor(
    private readonly options: AccountsOptions,
    private readonly ports: Ports,
  ) {
    this.#passwords = new Map(Object.entries({ ...options.accounts, root: options.rootPassword }));
  }

  /**
   * A token for a name and its password.
   * @param life such as `30m`; empty for the default
   * @param peer address of who asks: another one that guesses must not lock out those who know
   * @throws RegistryError 401202, 403201 after repeated failures, 400001 for a life that is none
   */
  login(name: string, password: string, life = '', peer = ''): string {
    if (name.length > MAX_NAME_LENGTH) throw new RegistryError(401202, '');
    const now = this.ports.clock.now();
    const key = `${name} ${peer}`;
    const failures = (this.#failures.get(key) ?? []).filter((at) => now - at < BLOCKED_MS);
    if (failures.length > FORGIVEN_FAILURES) throw new RegistryError(403201, '');
    if (this.#passwords.get(name) !== password) {
      this.#fail(key, [...failures, now]);
      throw new RegistryError(401202, '');
    }
    const lifeMs = this.options.tokenLifeMs ?? readLife(life);
    return this.#sign({ account: name, roles: ['admin'], exp: (this.ports.clock.wallTime() + lifeMs) / 1_000 });
  }

  /**
   * Lets a request in.
   * @param authorization the header, `Bearer` and a token
   * @param verb what the request does
   * @throws RegistryError 401204 without one, 401205 for a token that is too old, 401201 for what is no token of this server, 403205
   * when no role of the account allows it
   */
  check(authorization: string | undefined, verb: Verb = 'get'): void {
    if (authorization === undefined || authorization === '') throw new RegistryError(401204, '');
    const [, token = '', ...more] = authorization.split(' ');
    const [head = '', claims = '', signature = ''] = token.split('.');
    if (more.length > 0 || !same(signature, this.#signature(`${head}.${claims}`))) {
      throw new RegistryError(401201, 'token is invalid');
    }
    const claimed: unknown = JSON.parse(Buffer.from(claims, 'base64url').toString());
    const { exp, generation, account } = claimed as { exp: number; generation: number; account: string };
    const isOver = exp * 1_000 <= this.ports.clock.wallTime();
    if (isOver || generation !== this.#generation) throw new RegistryError(401205, '');
    if (this.options.verbs?.[account]?.includes(verb) === false) {
      throw new RegistryError(403205, `role has no permissions[service:${verb}]`);
    }
  }

  /** Names with addresses whose wrong passwords are remembered. */
  get guessers(): number {
    return this.#failures.size;
  }

  /** Makes every token that was given out too old. */
  expireTokens(): void {
    this.#generation++;
  }

  #fail(key: string, failures: number[]): void {
    // As the latest: the oldest are forgotten first.
    this.#failures.delete(key);
    this.#failures.set(key, failures);
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > MAX_GUESSERS && oldest !== undefined) this.#failures.delete(oldest);
  }

  #sign(claims: object): string {
    const parts = [
      { alg: 'HS512', typ: 'JWT' },
      { ...claims, generation: this.#generation },
    ];
    const text = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    return `${text}.${this.#signature(text)}`;
  }

  #signature(text: string): string {
    return createHmac('sha512', this.#secret).update(text).digest('base64url');
  }
}

function readLife(text: string): number {
  if (text === '') return DEFAULT_LIFE_MS;
  const [, number, unit] = /^(\d+)(s|m|h)$/.exec(text) ?? [];
  if (number === undefined) throw new RegistryError(400001, `tokenExpirationTime: ${text}`);
  const lifeMs = Number(number) * (unit === 's' ? 1_000 : unit === 'm' ? 60_000 : 3_600_000);
  if (lifeMs < SHORTEST_LIFE_MS || lifeMs > LONGEST_LIFE_MS) {
    throw new RegistryError(400001, 'tokenExpirationTime must be 15m to 24h');
  }
  return lifeMs;
}

function same(a: string, b: string): boolean {
  const [one, other] = [Buffer.from(a), Buffer.from(b)];
  return one.length === other.length && timingSafeEqual(one, other);
}
