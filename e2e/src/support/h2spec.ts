import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { builtProgram } from './built-program.js';
import { run } from './command.js';

/** A case of h2spec and what came of it. */
export interface H2specCase {
  /** Section of the specification, `http2/6.5.2`. */
  readonly section: string;
  readonly title: string;
  /** What went wrong; undefined when it passed. */
  readonly problem: string | undefined;
  readonly skipped: boolean;
}

/**
 * The titles of all cases, in their order, with their numbers: `HTTP/2 › 6.5. SETTINGS › 6.5.1. … › 2: Sends …`, as `h2spec --dryrun` lists
 * them by indentation.
 */
export async function listH2specCases(): Promise<string[]> {
  const { stdout } = await run(builtProgram('h2spec'), ['--strict', '--dryrun']);
  const titles: string[] = [];
  const around: string[] = [];
  for (const line of stdout.split('\n')) {
    const text = line.trim();
    if (text === '') continue;
    const depth = (line.length - line.trimStart().length) / 2;
    around.length = depth;
    around[depth] = text;
    if (/^\d+: /.test(text)) titles.push([...around.slice(1, depth), text].join(' › '));
  }
  return titles;
}

/** Runs all generic, http2 and hpack cases, the strict ones included, against `host:port`. */
export async function runH2spec(address: string, folder: string): Promise<H2specCase[]> {
  const [host = '', port = ''] = address.split(':');
  const report = join(folder, `h2spec-${port}.xml`);
  const { code, stdout, stderr } = await run(builtProgram('h2spec'), [
    ...['--host', host, '--port', port, '--strict', '--junit-report', report],
  ]);
  // It ends with 1 when a case failed, and without a report when it could not run at all.
  const text = await readFile(report, 'utf8').catch(() => {
    throw new Error(`h2spec ended with ${code} and wrote no report: ${stdout}${stderr}`);
  });
  return readReport(text);
}

const CASE = /<testcase package="([^"]*)" classname="([^"]*)"[^>]*?(?:\/>|>([^]*?)<\/testcase>)/g;

function readReport(text: string): H2specCase[] {
  return [...text.matchAll(CASE)].map(([, section = '', title = '', inside = '']) => ({
    ...{ section, title: plain(title) },
    problem: /<(failure|error)\b/.test(inside) ? plain(inside.replaceAll(/<[^>]*>/g, ' ')).trim() : undefined,
    skipped: /<skipped/.test(inside),
  }));
}

function plain(text: string): string {
  return text
    .replaceAll(/&#(\d+);/g, (_all, code: string) => String.fromCharCode(Number(code)))
    .replaceAll(/&#x([0-9A-Fa-f]+);/g, (_all, code: string) => String.fromCharCode(parseInt(code, 16)))
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&');
}
