import { readFileSync } from 'node:fs';
import path from 'node:path';

/** Folders that exist on somebody's machine only: a home, or a workspace mounted at the top of the file system. */
const MACHINE_PATH = /(?<![\w.$}~/-])\/(?:work|workspace|root|(?:home|Users)\/[\w.-]+)\/[\w.-]+/;

/** Types that are not text. */
const BINARY = /\.(png|jpe?g|gif|ico|woff2?|gz|tgz|pcap|der|p12)$/;

/**
 * No file names a place on the machine of whoever wrote it.
 *
 * @param {string} root
 * @param {readonly string[]} files
 * @returns {string[]} problems
 */
export function checkMachinePaths(root, files) {
  const problems = [];
  for (const file of files) {
    if (BINARY.test(file)) continue;
    const lines = readFileSync(path.join(root, file), 'utf8').split('\n');
    for (const [index, line] of lines.entries()) {
      const match = MACHINE_PATH.exec(line);
      if (match) problems.push(`${file}:${index + 1}: ${match[0]} exists on one machine only; write a relative path.`);
    }
  }
  return problems;
}
