import { AgentError } from './http/agent-error.js';

/** What a token may do besides looking at the agent; each entry is the beginning of names or keys. */
export interface TokenRules {
  readonly serviceRead?: readonly string[];
  readonly serviceWrite?: readonly string[];
  readonly keyRead?: readonly string[];
  readonly keyWrite?: readonly string[];
  /** It may not read nodes, and so sees no instance in health and catalog, whatever else it may read. */
  readonly hidesNodes?: boolean;
}

/** Access control with the default policy `deny`. */
export interface AclOptions {
  /** May do everything. */
  readonly rootToken: string;
  /** Further tokens and what they may do; one that is not here is refused. */
  readonly tokens?: Readonly<Record<string, TokenRules>>;
}

export type Right = Exclude<keyof TokenRules, 'hidesNodes'>;

const WORDS: Readonly<Record<Right, string>> = {
  serviceRead: 'service:read',
  serviceWrite: 'service:write',
  keyRead: 'key:read',
  keyWrite: 'key:write',
};

/** What the sender of one request may do. */
export class Rights {
  constructor(
    private readonly rules: TokenRules | 'all',
    /** A request without a token is not told that something was left out. */
    readonly isAnonymous: boolean,
  ) {}

  may(right: Right, name: string): boolean {
    if (this.rules === 'all') return true;
    // Who may write may read.
    const also: readonly string[] =
      (right === 'serviceRead' ? this.rules.serviceWrite : right === 'keyRead' ? this.rules.keyWrite : undefined) ?? [];
    return [...(this.rules[right] ?? []), ...also].some((prefix) => name.startsWith(prefix));
  }

  /** Whether instances of a service are shown, each of which comes with its node. */
  maySee(service: string): boolean {
    return this.may('serviceRead', service) && (this.rules === 'all' || this.rules.hidesNodes !== true);
  }

  /** @throws AgentError 403 */
  need(right: Right, name: string): void {
    if (!this.may(right, name)) this.#deny(`'${WORDS[right]}' on "${name}"`);
  }

  /** For what is about the agent itself. @throws AgentError 403 */
  needAll(what: string): void {
    if (this.rules !== 'all') this.#deny(`'${what}'`);
  }

  #deny(what: string): never {
    const who = this.isAnonymous ? 'anonymous token' : "token with AccessorID '00000000-0000-0000-0000-00000000000f'";
    throw new AgentError(403, `Permission denied: ${who} lacks permission ${what}`);
  }
}

/** Who may do what; everybody everything without options. */
export class Acl {
  constructor(private readonly options: AclOptions | undefined) {}

  /** @throws AgentError 403 for a token that is not known */
  rightsOf(token: string): Rights {
    if (this.options === undefined) return new Rights('all', token === '');
    if (token === '') return new Rights({}, true);
    if (token === this.options.rootToken) return new Rights('all', false);
    const rules = this.options.tokens?.[token];
    if (rules === undefined) throw new AgentError(403, 'ACL not found');
    return new Rights(rules, false);
  }
}
