import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import {
  formatProblems,
  isMeshError,
  locateMistake,
  makeConfigSource,
  silentLogger,
  systemPorts,
  type EffectiveValue,
} from '@mesher/core';
import { load } from '../sidecar/load.js';
import { refuseOwnPorts } from '../sidecar/application-health.js';
import { ownPorts, planListeners } from '../sidecar/listen-plan.js';
import { counted } from './counted.js';
import { dryRun } from './dry-run.js';
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
  const confDir = resolve(dir);
  if (await isFile(confDir)) {
    print(`${dir} is a file; give the folder that holds it: mesher config check ${dirname(dir)}\n`);
    return EXIT.usage;
  }
  let effective: readonly EffectiveValue[] = [];
  try {
    const { configuration, catalog } = await load({ confDir, env });
    ({ effective } = configuration);
    const { document, errors, notices, files } = configuration;
    if (notices.length > 0) print(`${formatProblems(notices)}\n`);
    if (errors.length > 0) print(`${formatProblems(errors)}\n`);
    if (document === undefined) {
      print(`${dir}: ${counted(errors.length, 'error')}\n`);
      return EXIT.configuration;
    }
    const own = ownPorts(planListeners(document), document);
    refuseOwnPorts(document, (port) => own.has(port));
    const missing = await dryRun(document, confDir, catalog);
    // Made, but not asked: that finds settings that it refuses.
    const { note } = await makeConfigSource(document, catalog, {
      ports: systemPorts(),
      logger: silentLogger(),
      confDir,
    });
    for (const text of [missing, note]) {
      if (text !== undefined) print(`${dir}: note: ${text}\n`);
    }
    print(`${dir}: good (${counted(files.length, 'file')}, ${counted(notices.length, 'notice')})\n`);
    return EXIT.ok;
  } catch (error) {
    if (!isMeshError(error)) throw error;
    print(`${formatProblems([locateMistake(error, effective)])}\n${dir}: 1 error\n`);
    return EXIT.configuration;
  }
}

async function isFile(path: string): Promise<boolean> {
  return await stat(path).then(
    (stats) => stats.isFile(),
    () => false,
  );
}
