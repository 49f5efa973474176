import { isMeshError, readExplainRequest, type ExplainRequest } from '@mesher/core';
import { EXIT, type ExitCode } from './exit-codes.js';
import { askSidecar } from './explain-asking.js';
import { explainFiles } from './explain-files.js';
import { renderExplanation } from './explain-text.js';

/** Flags of `mesher explain`. */
export interface ExplainOptions {
  /** `Name: value` each. */
  readonly header?: readonly string[];
  readonly inbound?: boolean;
  readonly source?: string;
  readonly protocol?: string;
  readonly from?: string;
  readonly watch?: boolean;
  /** Address of the admin API of a running sidecar. */
  readonly admin: string;
  /** Folder of a configuration that is asked instead of a sidecar. */
  readonly config?: string;
  /** File with the instances that the configuration is asked with. */
  readonly instances?: string;
  readonly json?: boolean;
}

/** Where the text goes. */
export interface ExplainTerminal {
  out(text: string): void;
  err(text: string): void;
  /** Whether escape sequences for colours are understood. */
  readonly colour: boolean;
  readonly columns: number;
}

/**
 * `mesher explain METHOD URL`: what would become of a call, and why.
 * @returns 0 when it would be sent, 1 when Mesher would answer by itself, 2 when the question makes no sense or nobody answers
 * it, 3 when the given configuration is wrong
 */
export async function explainCall(
  method: string,
  url: string,
  options: ExplainOptions,
  env: Readonly<Record<string, string | undefined>>,
  terminal: ExplainTerminal,
): Promise<ExitCode> {
  try {
    const request = readRequest(method, url, options);
    const explained =
      options.config === undefined
        ? await askSidecar(request, options.admin)
        : await explainFiles(request, options.config, options.instances, env);
    terminal.out(
      options.json === true ? `${JSON.stringify(explained, undefined, 2)}\n` : renderExplanation(explained, terminal),
    );
    return explained.sent ? EXIT.ok : EXIT.failed;
  } catch (error) {
    if (!isMeshError(error)) throw error;
    terminal.err(`mesher: ${error.message}\n`);
    return USAGE_CODES.has(error.code) ? EXIT.usage : EXIT.configuration;
  }
}

/** What lies with the question, not with the configuration. */
const USAGE_CODES: ReadonlySet<string> = new Set([
  'MESH_ERR_ADMIN_UNANSWERED',
  'MESH_ERR_EXPLAIN_REQUEST',
  'MESH_ERR_USAGE',
]);

function readRequest(method: string, url: string, options: ExplainOptions): ExplainRequest {
  const { header = [], inbound, source, protocol, from, watch } = options;
  return readExplainRequest({
    method: method.toUpperCase(),
    url,
    headers: headersOf(header),
    direction: inbound === true ? 'inbound' : 'outbound',
    ...(protocol === undefined ? {} : { protocol }),
    ...(source === undefined ? {} : { source }),
    ...(from === undefined ? {} : { remoteAddress: from }),
    // Nothing is kept of a configuration that is read for one question.
    watch: watch === true || options.config !== undefined,
  });
}

/** Fields of one name become one, as RFC 9110, 5.3 has it; cookies are joined by semicolons (RFC 6265, 5.4). */
function headersOf(lines: readonly string[]): Record<string, string> {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    // Without a colon the whole line is taken for the name, which is then refused with the text of the user.
    const name = (colon < 0 ? line : line.slice(0, colon)).trim().toLowerCase();
    const value = colon < 0 ? '' : line.slice(colon + 1).trim();
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}${name === 'cookie' ? '; ' : ', '}${value}`);
  }
  return Object.fromEntries(headers);
}
