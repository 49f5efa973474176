/** Fields that hold a scheme and a credential (RFC 9110, 11.4). */
const CREDENTIAL_FIELDS: ReadonlySet<string> = new Set(['authorization', 'proxy-authorization']);

/** Fields that hold names and values, which are credentials. */
const COOKIE_FIELDS: ReadonlySet<string> = new Set(['cookie', 'set-cookie']);

/** Names that tell of a credential, whoever invented them. */
const SECRET_NAME = /token|secret|password|api-?key|session|credential/i;

const MASK = '***';

/** A value shorter than this is no secret that is worth keeping, and taking it out of all texts would make them unreadable. */
const SHORTEST_SECRET = 4;

/** Keeps credentials of the request that is explained out of what is shown. */
export class SecretMask {
  readonly #values: readonly string[];

  /** @param headers those of the request, by name in any case */
  constructor(headers: Readonly<Record<string, string>>) {
    const values = Object.entries(headers).flatMap(([name, value]) =>
      isSecret(name) ? [value, ...partsOf(value)] : [],
    );
    // The longest first: a part that stands in the whole must not spoil its replacement.
    this.#values = [...new Set(values)]
      .filter((value) => value.length >= SHORTEST_SECRET)
      .sort((a, b) => b.length - a.length);
  }

  /** The header fields as they may be shown. */
  headers(headers: Readonly<Record<string, string>>): Record<string, string> {
    return Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [
        name,
        isSecret(name) ? maskField(name.toLowerCase(), value) : this.apply(value),
      ]),
    );
  }

  /** The same value, with every credential in its texts replaced. */
  apply<T>(value: T): T {
    if (this.#values.length === 0) return value;
    return this.#masked(value) as T;
  }

  #masked(value: unknown): unknown {
    if (typeof value === 'string') return this.#values.reduce((text, secret) => text.replaceAll(secret, MASK), value);
    if (Array.isArray(value)) return value.map((one) => this.#masked(one));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [this.#masked(key), this.#masked(one)]));
  }
}

function isSecret(name: string): boolean {
  const lower = name.toLowerCase();
  return CREDENTIAL_FIELDS.has(lower) || COOKIE_FIELDS.has(lower) || SECRET_NAME.test(name);
}

/** What follows the scheme in Authorization, and the value of each cookie: rules look at these by themselves. */
function partsOf(value: string): string[] {
  const afterScheme = /^\S+\s+(.+)$/.exec(value)?.[1];
  const cookies = value.split(';').flatMap((pair) => {
    const equals = pair.indexOf('=');
    return equals < 0 ? [] : [pair.slice(equals + 1).trim()];
  });
  return afterScheme === undefined ? cookies : [afterScheme, ...cookies];
}

/** Scheme and cookie names stay: they are what people look for. In other fields nothing tells what is no secret: base64 may end in `=`. */
function maskField(name: string, value: string): string {
  if (COOKIE_FIELDS.has(name)) return value.split(';').map(maskCookie).join(';');
  const scheme = CREDENTIAL_FIELDS.has(name) ? /^(\S+)\s+\S/.exec(value)?.[1] : undefined;
  return scheme === undefined ? MASK : `${scheme} ${MASK}`;
}

function maskCookie(pair: string): string {
  const equals = pair.indexOf('=');
  return equals < 0 ? MASK : `${pair.slice(0, equals)}=${MASK}`;
}
