import type { YAMLError } from 'yaml';

/** The parser adds the source below its messages; the position says that already. */
export function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text;
}

/** What is wrong with the text, and what to do about it. */
export function describeSyntaxError(error: YAMLError): string {
  if (error.code === 'TAB_AS_INDENT') {
    return 'tabs are not allowed for indentation in YAML; use spaces';
  }
  return `is not valid YAML: ${firstLine(error.message)}`;
}
