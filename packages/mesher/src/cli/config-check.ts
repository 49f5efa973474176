import { resolve } from 'node:path';
import { formatProblems, isMeshError } from '@mesher/core';
import { load } from '../sidecar/load.js';
import { planListeners } from '../sidecar/listen-plan.js';
import { EXIT, type ExitCode } from './exit-codes.js';

/**
 * `mesher config check DIR`: prints every mistake and every notice of a configuration folder.
 * @param print takes the text for the terminal
 */
export async function checkConfiguration(
  dir: string,
  env: Readonly<Record<string, string | undefined>>,
  print: (text: string) => void,
): Promise<ExitCode> {
  try {
    const { configuration } = await load({ confDir: resolve(dir), env });
    const { document, errors, notices, files } = configuration;
    if (notices.length > 0) print(`${formatProblems(notices)}\n`);
    if (errors.length > 0) print(`${formatProblems(errors)}\n`);
    if (document === undefined) {
      print(`${dir}: ${errors.length} ${errors.length === 1 ? 'error' : 'errors'}\n`);
      return EXIT.configuration;
    }
    planListeners(document);
    print(`${dir}: good (${files.length} files, ${notices.length} notices)\n`);
    return EXIT.ok;
  } catch (error) {
    if (!isMeshError(error)) throw error;
    print(`${dir}: ${error.message}\n`);
    return EXIT.configuration;
  }
}
