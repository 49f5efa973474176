import { Option, type Command } from 'commander';
import type { SetExit } from './program.js';
import type { TransparentAsked, TransparentCliOptions } from './transparent.js';

/** Declares `mesher transparent`. */
export function declareTransparent(program: Command, setExit: SetExit): void {
  const command = program
    .command('transparent')
    .allowExcessArguments(false)
    .description('what a running sidecar in transparent mode does with the connections that rules bring it, and why');
  const ask = async (asked: TransparentAsked, options: TransparentCliOptions): Promise<void> => {
    const { askTransparent } = await import('./transparent.js');
    const { stdout, stderr } = process;
    setExit(
      await askTransparent(
        asked,
        options,
        (text) => stdout.write(text),
        (text) => stderr.write(text),
      ),
    );
  };
  const admin = (): Option =>
    new Option('--admin <address>', 'admin address of the running sidecar')
      .default('127.0.0.1:30102')
      .env('MESHER_ADMIN');
  command
    .command('list')
    .allowExcessArguments(false)
    .description('the original destinations in use, and what became of their connections')
    .addOption(admin())
    .option('--json', 'print them as JSON')
    .action((options: TransparentCliOptions) => ask({ what: 'list' }, options));
  command
    .command('connections')
    .allowExcessArguments(false)
    .description(
      'the last connections, the newest first: what they spoke, what became of them and why, and how they ended',
    )
    .addOption(admin())
    .option('--json', 'print them as JSON')
    .action((options: TransparentCliOptions) => ask({ what: 'connections' }, options));
  command
    .command('explain')
    .allowExcessArguments(false)
    .argument('<destination>', 'original destination of the connection, such as 10.0.0.2:80')
    .description(
      'say what would become of a connection, decision by decision, and why, without making it; exits 0 when it would be passed on, 1 when not',
    )
    .addOption(
      new Option('--protocol <protocol>', 'what the client speaks')
        .choices(['http1', 'http2', 'tls', 'tcp'])
        .default('http1'),
    )
    .option('--host <name>', 'host that the client names, in its first request or as the server of TLS')
    .addOption(admin())
    .option('--json', 'print the decisions as JSON')
    .action((destination: string, options: TransparentCliOptions & { protocol?: string; host?: string }) =>
      ask({ what: 'explain', destination, protocol: options.protocol ?? 'http1', host: options.host ?? '' }, options),
    );
}
