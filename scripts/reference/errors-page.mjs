const RETRYABLE = {
  'never-sent': 'yes: the request never reached the application',
  'maybe-executed': 'only idempotent methods: the request may have been executed',
  no: 'no',
};

const cell = (text) => String(text).replaceAll('|', '\\|');

/**
 * The reference page of all errors in Markdown.
 *
 * @param {Record<string, {status: number, grpcStatus: number, retryable: string, meaning: string, remedy: string}>} errors
 * @returns {string}
 */
export function renderErrorsReference(errors) {
  const entries = Object.entries(errors).sort(([, a], [, b]) => a.status - b.status);
  const rows = entries.map(
    ([code, { status, grpcStatus, retryable }]) =>
      `| [\`${code}\`](#${code.toLowerCase()}) | ${status} | ${grpcStatus} | ${cell(RETRYABLE[retryable] ?? retryable)} |`,
  );
  const chapters = entries.map(
    ([code, { status, meaning, remedy }]) =>
      `### ${code}\n\nHTTP status ${status}. ${meaning}\n\n**What to do:** ${remedy}`,
  );
  return [
    '# Errors',
    '',
    'An answer that Mesher makes itself carries the code in the header `x-mesher-error`. Match on the code, never on the text.',
    '',
    '| code | HTTP | gRPC | another attempt |',
    '|---|---|---|---|',
    ...rows,
    '',
    '## Meaning and remedy',
    '',
    chapters.join('\n\n'),
    '',
  ].join('\n');
}
