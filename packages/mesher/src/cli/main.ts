import { CommanderError } from 'commander';
import { EXIT } from './exit-codes.js';
import { createProgram } from './program.js';

/**
 * The `mesher` command. Sets the exit status of the process; see {@link EXIT}.
 * @param args the command line without program and script
 */
export async function main(args: readonly string[]): Promise<void> {
  const program = createProgram((code) => (process.exitCode = code));
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // --help and --version end here, too, with status 0; every other end is a mistake on the command line.
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
}
