import { createRequire } from 'node:module';
import type { RE2JS } from 're2js';
import type * as Engine from 're2js';

/** A regular expression from the configuration. It finds itself anywhere in a text unless it is anchored, as in Go. */
export interface Pattern {
  matches(text: string): boolean;
  /** `text` with each find replaced; `$1` or `\1` stand for groups. */
  replace(text: string, replacement: string): string;
}

/** What is wrong with a regular expression; continues "expects a regular expression: …". */
export class PatternError extends Error {}

/**
 * Longest expression, in characters. Matching is linear in the text, but each character may cost as many steps as the expression is
 * long; no real rule is longer than a tenth of this.
 */
export const MAX_PATTERN_LENGTH = 1000;

/** A backslash before what is not ASCII is an error for the engine: such a text must not pass for one that compiles in any case. */
const LITERAL = /^(?:[^\\^$.|?*+()[\]{}]|\\[^A-Za-z0-9\u0080-\uffff])*$/;

/**
 * Compiles a regular expression in the syntax of RE2, which is that of Go, POSIX classes (`[[:alpha:]]`) included. Matching takes
 * time linear in the text whatever the expression (docs/adr/0004). What is only a text, its beginning, its end, or one of several texts
 * is compared as such, and the engine is not even loaded for it.
 *
 * @param ignoreCase letter case makes no difference
 * @throws PatternError when it is none, is too long, or uses what a linear engine cannot do (look-around, back references)
 */
export function compilePattern(source: string, ignoreCase = false): Pattern {
  if (source.length > MAX_PATTERN_LENGTH) {
    throw new PatternError(`it has ${source.length} characters, ${MAX_PATTERN_LENGTH} are allowed`);
  }
  const compare = ignoreCase ? undefined : asComparison(source);
  return compare === undefined ? new EnginePattern(source, ignoreCase) : new LiteralPattern(source, compare);
}

/** The same as comparing strings, where the expression says no more than that. */
function asComparison(source: string): ((text: string) => boolean) | undefined {
  const { body, atStart, atEnd } = anchors(source);
  if (atStart && atEnd) {
    const group = /^\((?:\?:)?([^()]*)\)$/.exec(body);
    const parts = (group?.[1] ?? body).split('|');
    // Without brackets the anchors belong to the outer alternatives only.
    if (!parts.every((part) => LITERAL.test(part)) || (group === null && parts.length > 1)) return undefined;
    const [only = '', ...more] = parts.map(unescape);
    if (more.length === 0) return (text) => text === only;
    const texts = new Set([only, ...more]);
    return (text) => texts.has(text);
  }
  if (atStart && body.endsWith('.*') && LITERAL.test(body.slice(0, -2))) {
    const start = unescape(body.slice(0, -2));
    return (text) => text.startsWith(start);
  }
  if (!LITERAL.test(body)) return undefined;
  const literal = unescape(body);
  if (atStart) return (text) => text.startsWith(literal);
  return atEnd ? (text) => text.endsWith(literal) : (text) => text.includes(literal);
}

function anchors(source: string): { readonly body: string; readonly atStart: boolean; readonly atEnd: boolean } {
  const atStart = source.startsWith('^');
  // `\$` is a dollar sign; `\\$` would be a backslash and the end, which is rare enough for the engine.
  const atEnd = source.endsWith('$') && !source.endsWith('\\$');
  return { body: source.slice(atStart ? 1 : 0, atEnd ? -1 : undefined), atStart, atEnd };
}

function unescape(literal: string): string {
  return literal.replace(/\\(.)/gs, '$1');
}

class LiteralPattern implements Pattern {
  #engine: EnginePattern | undefined;

  constructor(
    private readonly source: string,
    readonly matches: (text: string) => boolean,
  ) {}

  replace(text: string, replacement: string): string {
    return (this.#engine ??= new EnginePattern(this.source, false)).replace(text, replacement);
  }
}

class EnginePattern implements Pattern {
  readonly #compiled: RE2JS;

  constructor(source: string, ignoreCase: boolean) {
    // 4 MB and 13 ms, which a configuration without expressions does not pay. Required and not imported: configuration is checked
    // without waiting.
    const { RE2JS: engine } = createRequire(import.meta.url)('re2js') as typeof Engine;
    try {
      this.#compiled = engine.compile(source, ignoreCase ? engine.CASE_INSENSITIVE : 0);
    } catch (error) {
      throw new PatternError(describe((error as Error).message), { cause: error });
    }
  }

  matches(text: string): boolean {
    return this.#compiled.test(text);
  }

  replace(text: string, replacement: string): string {
    return this.#compiled.matcher(text).replaceAll(replacement.replace(/\\(\d)/g, '$$$1'));
  }
}

function describe(message: string): string {
  const text = message.replace(/^error parsing regexp: /, '');
  return /`(?:\(\?[<=!]|\\[1-9])/.test(text)
    ? `${text} (look-around and back references cannot be matched in linear time)`
    : text;
}
