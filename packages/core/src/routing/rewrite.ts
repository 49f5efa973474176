import type { RouteRuleConfig } from '../config/sections/route-rules.js';
import type { Invocation } from '../invocation.js';
import { compilePattern } from './pattern.js';
import { pathOf, queryOf } from './target.js';

type RewriteConfig = NonNullable<RouteRuleConfig['rewrite']>;

/** Another path or host for the requests of a rule. The query stays as it is. */
export class Rewrite {
  readonly #path: ((path: string) => string) | undefined;
  readonly #host: string | undefined;

  constructor(config: RewriteConfig) {
    this.#path = pathRewrite(config);
    this.#host = config.host;
  }

  apply(call: Invocation): void {
    if (this.#host !== undefined) call.setHeader('host', this.#host);
    const path = this.rewritten(call.path);
    if (path !== undefined) call.setPath(path);
  }

  /** The target that is sent instead; undefined when it stays as it is, as that of `OPTIONS *` and CONNECT does. */
  rewritten(target: string): string | undefined {
    if (this.#path === undefined || !target.startsWith('/')) return undefined;
    const path = pathOf(target);
    const rewritten = this.#path(path);
    if (rewritten === path) return undefined;
    return `${rewritten.startsWith('/') ? '' : '/'}${rewritten}${queryOf(target)}`;
  }
}

function pathRewrite({ path, prefix, regex }: RewriteConfig): ((path: string) => string) | undefined {
  if (path !== undefined) return () => path;
  if (prefix?.from !== undefined && prefix.to !== undefined) {
    const from = prefix.from.endsWith('/') ? prefix.from.slice(0, -1) : prefix.from;
    const to = prefix.to.endsWith('/') ? prefix.to.slice(0, -1) : prefix.to;
    // In whole segments: /v1 is no beginning of /v10.
    return (whole) => (whole === from || whole.startsWith(`${from}/`) ? `${to}${whole.slice(from.length)}` : whole);
  }
  if (regex?.pattern === undefined) return undefined;
  const pattern = compilePattern(regex.pattern);
  const substitution = regex.substitution ?? '';
  return (whole) => pattern.replace(whole, substitution);
}
