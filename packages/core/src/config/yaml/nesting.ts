import { Lexer } from 'yaml';

/** Marks that a scalar token follows, in the token stream of the lexer. */
const SCALAR_MARK = '\u001f';

/** The token in front of a document. */
const DOCUMENT_MARK = '\u0002';

/**
 * True when a YAML text is nested deeper than `maxDepth` levels of brackets, or of `-` and `?` in one line, or is indented as
 * deep as only such nesting can be.
 *
 * The parser works by recursion, and close to the end of the stack V8 aborts the whole process (it cannot compile a regular
 * expression there), so deep texts must never reach it. The lexer does not recurse.
 */
export function isNestedTooDeeply(text: string, maxDepth: number): boolean {
  const maxIndent = maxDepth * WIDEST_INDENT;
  let brackets = 0;
  let indicators = 0;
  let lineStart = true;
  let previous = '';
  for (const token of new Lexer().lex(text)) {
    if (previous !== SCALAR_MARK) {
      if (token === '[' || token === '{') {
        brackets += 1;
      } else if (token === ']' || token === '}') {
        brackets = Math.max(0, brackets - 1);
      } else if (token === '-' || token === '?') {
        indicators += 1;
      } else if (lineStart && token.length > maxIndent && token.trim() === '') {
        return true;
      }
      if (brackets > maxDepth || indicators > maxDepth) {
        return true;
      }
    }
    lineStart = token.endsWith('\n') || (lineStart && token === DOCUMENT_MARK);
    if (lineStart) {
      indicators = 0;
    }
    previous = token;
  }
  return false;
}

/** Spaces per level that people use at most. */
const WIDEST_INDENT = 8;
