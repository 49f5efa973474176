import { Command, Option } from 'commander';
import { mesherVersion } from '../version.js';
import type { ExitCode } from './exit-codes.js';

/** Sets the exit status of the process. */
export type SetExit = (code: ExitCode) => void;

/**
 * Declares the command line. Commands load what they need when they run, so that `--help` is quick and the sidecar does not carry the demo.
 */
export function createProgram(setExit: SetExit): Command {
  const program = new Command('mesher')
    .description('A service mesh sidecar: any program can run beside it and call services by name')
    .version(`mesher ${mesherVersion()} (node ${process.version})`, '--version', 'print the version')
    .helpOption('--help', 'print this help')
    .helpCommand(false)
    .exitOverride()
    .showHelpAfterError('(mesher --help lists all options)')
    .addOption(new Option('--config <file>', 'path of mesher.yaml; the other files are beside it').env('MESHER_CONFIG'))
    .addOption(new Option('--mode <mode>', 'role of this process').default('sidecar').env('MESHER_MODE'))
    .addOption(
      new Option('--service-ports <ports>', 'ports of the local application, such as rest:8080,grpc:9000').env(
        'SERVICE_PORTS',
      ),
    )
    .addOption(
      new Option('--drain-timeout <duration>', 'how long requests may finish at the end')
        .default('30s')
        .env('MESHER_DRAIN_TIMEOUT'),
    )
    .addOption(
      new Option('--log-level <level>', 'debug, info, warn or error; logLevel of lager.yaml or info when left out').env(
        'MESHER_LOG_LEVEL',
      ),
    )
    .addHelpText('after', HELP_TAIL)
    .allowExcessArguments()
    .action(async (options: RunOptions, command: Command) => {
      const [word] = command.args;
      if (word !== undefined) command.error(`error: unknown command '${word}'`);
      const { runSidecar } = await import('./run.js');
      await runSidecar(bootstrapArguments(options), setExit);
    });

  const config = program.command('config').description('work with configuration files');
  config
    .command('check')
    .argument('[dir]', 'folder with chassis.yaml, microservice.yaml and mesher.yaml', 'conf')
    .description('check a configuration folder; exits 0 when it is good, 3 when not')
    .action(async (dir: string) => {
      const { checkConfiguration } = await import('./config-check.js');
      setExit(await checkConfiguration(dir, process.env, (text) => process.stdout.write(text)));
    });

  program
    .command('demo')
    .description('start two services with a sidecar each, call through them, and show the way of a call')
    .option('--once', 'exit after the calls instead of staying up')
    .action(async (options: { once?: boolean }) => {
      const { runDemo } = await import('../demo/demo.js');
      setExit(await runDemo({ once: options.once === true || !process.stdout.isTTY }));
    });
  return program;
}

interface RunOptions {
  readonly config?: string;
  readonly mode: string;
  readonly servicePorts?: string;
  readonly drainTimeout: string;
  readonly logLevel?: string;
}

/** The flags as the bootstrap reads them. */
function bootstrapArguments(options: RunOptions): string[] {
  const args = [`--mode=${options.mode}`, `--drain-timeout=${options.drainTimeout}`];
  if (options.logLevel !== undefined) args.push(`--log-level=${options.logLevel}`);
  if (options.config !== undefined) args.push(`--config=${options.config}`);
  if (options.servicePorts !== undefined) args.push(`--service-ports=${options.servicePorts}`);
  return args;
}

const HELP_TAIL = `
Configuration folder: CHASSIS_CONF_DIR, else $CHASSIS_HOME/conf, else the folder of --config, else ./conf

Examples:
  $ mesher demo                                          see it work
  $ mesher --config=conf/mesher.yaml --service-ports=rest:8080
  $ mesher config check conf

Exit status: 0 ended as asked, 1 failed while running, 2 wrong command line, 3 wrong configuration`;
