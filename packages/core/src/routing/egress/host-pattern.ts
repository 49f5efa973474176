import { isIP } from 'node:net';

/** A host name has at most 253 characters, a label of it 63 (RFC 1035, 2.3.4). */
const MAX_HOST_LENGTH = 253;
const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i;
const WILDCARD = '*.';

/** What is wrong with a host of an egress rule, or undefined. */
export function hostPatternProblem(host: string): string | undefined {
  if (host === '*') return "'*' alone would allow every host; set mesher.egress.policy to allow_any if that is meant";
  if (host.length > MAX_HOST_LENGTH)
    return `the host '${host.slice(0, 40)}…' is longer than ${MAX_HOST_LENGTH} characters`;
  const name = host.startsWith(WILDCARD) ? host.slice(WILDCARD.length) : host;
  if (isIP(name) === 6) return undefined;
  if (name.split('.').every((label) => LABEL.test(label))) return undefined;
  return `'${host}' is no host name; only its first label may be '*'`;
}

/** The hosts of egress rules: names, and `*.` names at label boundaries. Finding one takes a look-up per label. */
export class HostIndex<T> {
  readonly #exact = new Map<string, T>();
  readonly #below = new Map<string, T>();

  /** The first rule that names a host keeps it. */
  add(host: string, value: T): void {
    const name = host.toLowerCase();
    const isWildcard = name.startsWith(WILDCARD);
    const map = isWildcard ? this.#below : this.#exact;
    const key = isWildcard ? name.slice(WILDCARD.length) : name;
    if (!map.has(key)) map.set(key, value);
  }

  /** What names this very host. */
  exact(host: string): T | undefined {
    return this.#exact.get(host);
  }

  /** The most specific wildcard that stands for the host. */
  below(host: string): T | undefined {
    for (let dot = host.indexOf('.'); dot >= 0; dot = host.indexOf('.', dot + 1)) {
      const found = this.#below.get(host.slice(dot + 1));
      if (found !== undefined) return found;
    }
    return undefined;
  }
}
