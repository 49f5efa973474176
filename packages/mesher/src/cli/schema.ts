import { configurationJsonSchema } from '@mesher/core';
import { writeFile } from 'node:fs/promises';
import { sidecarSections } from '../sidecar/load.js';
import { EXIT, type ExitCode } from './exit-codes.js';

/**
 * `mesher schema`: the JSON Schema of all keys, those of the built-in plugins included; for editors
 * (`# yaml-language-server: $schema=mesher.schema.json`).
 * @param output file to write; printed when left out
 */
export async function writeSchema(output: string | undefined, print: (text: string) => void): Promise<ExitCode> {
  const text = `${JSON.stringify(configurationJsonSchema(sidecarSections()), undefined, 2)}\n`;
  if (output === undefined) {
    print(text);
    return EXIT.ok;
  }
  try {
    await writeFile(output, text);
    return EXIT.ok;
  } catch (error) {
    print(`mesher: ${output} cannot be written (${(error as NodeJS.ErrnoException).code ?? String(error)})\n`);
    return EXIT.failed;
  }
}
