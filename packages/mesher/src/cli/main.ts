import { CommanderError } from 'commander';
import { endStartUnderLoad } from '../runtime/start-phase.js';
import { EXIT } from './exit-codes.js';
import { createProgram } from './program.js';

/**
 * The `mesher` command. Sets the exit status of the process; see {@link EXIT}.
 * @param args the command line without program and script
 */
export async function main(args: readonly string[]): Promise<void> {
  process.stdout.on('error', endWhenNobodyReads);
  const program = createProgram((code) => (process.exitCode = code));
  // The sidecar says by itself when it has started.
  program.hook('preAction', (_program, command) => void (command === program || endStartUnderLoad()));
  try {
    await program.parseAsync(args.map(withTwoDashes), { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // --help and --version end here, too, with status 0; every other end is a mistake on the command line.
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
}

/** Programs written in Go take their flags with one dash as well, and manifests for netramesh may have its only one so. */
function withTwoDashes(argument: string): string {
  return /^-service-name(?:=|$)/.test(argument) ? `-${argument}` : argument;
}

/**
 * `mesher --help | head` closes the pipe early; that is no failure, and there is nobody left to tell. A command that has something to
 * take down first listens, too, and ends by itself.
 */
function endWhenNobodyReads(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  if (process.stdout.listenerCount('error') === 1) process.exit();
}
