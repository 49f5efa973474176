import { Command, Option } from 'commander';
import { mesherVersion } from '../version.js';
import type { ExitCode } from './exit-codes.js';
import type { ExplainOptions } from './explain.js';
import { declareIntercept } from './intercept-command.js';
import type { RegistryOptions } from './registry.js';
import { declareTransparent } from './transparent-command.js';

/** Sets the exit status of the process. */
export type SetExit = (code: ExitCode) => void;

/**
 * Declares the command line. Commands load what they need when they run, so that `--help` is quick and the sidecar does not carry the demo.
 */
export function createProgram(setExit: SetExit): Command {
  const program = new Command('mesher')
    .description('A service mesh sidecar: any program can run beside it and call services by name')
    .version(`mesher ${mesherVersion()} (node ${process.version})`, '--version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .exitOverride()
    // So that a command may have an option of the same name, such as --config.
    .enablePositionalOptions()
    .showHelpAfterError('(mesher --help lists all options)')
    .addOption(new Option('--config <file>', 'path of mesher.yaml; the other files are beside it').env('MESHER_CONFIG'))
    .addOption(
      new Option('--mode <mode>', 'role of this process: sidecar, or transparent')
        .default('sidecar')
        .env('MESHER_MODE'),
    )
    .option('--service-name <name>', 'name of the local application; wins over all files')
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

  const config = program.command('config').allowExcessArguments(false).description('work with configuration files');
  config
    .command('check')
    .allowExcessArguments(false)
    .argument('[dir]', 'folder with chassis.yaml, microservice.yaml and mesher.yaml', 'conf')
    .description('check a configuration folder; exits 0 when it is good, 3 when not')
    .action(async (dir: string) => {
      const { checkConfiguration } = await import('./config-check.js');
      setExit(await checkConfiguration(dir, process.env, (text) => process.stdout.write(text)));
    });

  config
    .command('diff')
    .allowExcessArguments(false)
    .argument('<dir>', 'folder to compare with the running sidecar, or the first of two folders')
    .argument('[other]', 'the second folder')
    .description(
      'print key by key what would change from the running sidecar to a folder, or from the first folder to the second, and what of it needs a restart; exits 0 when nothing, 1 when something, 2 when no sidecar answers',
    )
    .addOption(
      new Option('--admin <address>', 'admin address of the running sidecar')
        .default('127.0.0.1:30102')
        .env('MESHER_ADMIN'),
    )
    .action(async (dir: string, other: string | undefined, { admin }: { admin: string }) => {
      const { diffConfigurations } = await import('./config-diff.js');
      const folders = other === undefined ? { dir } : { base: dir, dir: other };
      const request = { ...folders, admin, env: process.env };
      const { stdout, stderr } = process;
      const write = (stream: NodeJS.WriteStream) => (text: string) => stream.write(text);
      setExit(await diffConfigurations(request, write(stdout), write(stderr)));
    });

  program
    .command('schema')
    .allowExcessArguments(false)
    .description('print the JSON Schema of all configuration keys, for editors')
    .option('--output <file>', 'write it to a file instead')
    .action(async ({ output }: { output?: string }) => {
      const { writeSchema } = await import('./schema.js');
      setExit(await writeSchema(output, (text) => process.stdout.write(text)));
    });

  program
    .command('explain')
    .allowExcessArguments(false)
    .argument('<method>', 'method of the call, such as GET')
    .argument('<url>', 'its URL, such as http://world/v2')
    .description(
      'say what would become of a call, decision by decision, and why, without sending it; exits 0 when it would be sent, 1 when not',
    )
    .option('-H, --header <field>', "header field of the call, such as 'x-user: 1'; may be repeated", collect)
    .option('--inbound', 'a call to the local application instead of one that it makes')
    .option('--source <name>', 'inbound: the service that calls, when address and headers do not tell')
    .option('--from <address>', 'IP address of the caller')
    .addOption(
      new Option('--protocol <protocol>', 'protocol of the call; when left out as its content-type says').choices([
        'http',
        'grpc',
        'tcp',
      ]),
    )
    .option('--watch', 'let the sidecar ask the registry about a service that nobody has called yet')
    .addOption(
      new Option('--admin <address>', 'admin address of the running sidecar that is asked')
        .default('127.0.0.1:30102')
        .env('MESHER_ADMIN'),
    )
    .option('--config <dir>', 'ask the configuration in this folder instead of a running sidecar')
    .option('--instances <file>', 'YAML file with the instances that --config is asked with')
    .option('--json', 'print the decisions as JSON')
    .action(async (method: string, url: string, options: ExplainOptions) => {
      const { explainCall } = await import('./explain.js');
      const { stdout, stderr, env } = process;
      const colour = stdout.isTTY && env['NO_COLOR'] === undefined && env['TERM'] !== 'dumb';
      const code = await explainCall(method, url, options, env, {
        out: (text) => stdout.write(text),
        err: (text) => stderr.write(text),
        colour,
        columns: stdout.isTTY ? stdout.columns : UNBROKEN_COLUMNS,
      });
      setExit(code);
    });

  program
    .command('registry')
    .allowExcessArguments(false)
    .description(
      'run a registry that speaks the API of service-center, for development and small teams, until Ctrl-C; everybody who reaches it may use it, unless MESHER_REGISTRY_PASSWORD sets the password of its account root',
    )
    .addOption(
      new Option('--listen <address>', 'address of the registry; port 0 takes a free one, which is printed')
        .default('127.0.0.1:30100')
        .env('MESHER_REGISTRY_LISTEN'),
    )
    .addOption(
      new Option('--data <dir>', 'folder that keeps what is registered over a restart')
        .default('registry-data')
        .env('MESHER_REGISTRY_DATA'),
    )
    .option('--in-memory', 'keep nothing over a restart')
    .action(async (options: RegistryOptions) => {
      const { runRegistry } = await import('./registry.js');
      const { stdout, stderr, env } = process;
      const ended = new Promise<void>((resolve) => {
        process.once('SIGINT', resolve);
        process.once('SIGTERM', resolve);
      });
      const streams = { out: (text: string) => stdout.write(text), err: (text: string) => stderr.write(text) };
      setExit(await runRegistry(options, env, streams, ended));
    });

  declareIntercept(program, setExit);
  declareTransparent(program, setExit);

  program
    .command('demo')
    .allowExcessArguments(false)
    .description(
      'start two services with a sidecar each, call through them, show the way of a call, and stay up until Ctrl-C, with or without a terminal',
    )
    .option('--once', 'exit after the calls instead of staying up, for scripts')
    .action(async (options: { once?: boolean }) => {
      const { runDemo } = await import('../demo/demo.js');
      setExit(await runDemo({ once: options.once === true }));
    });
  return program;
}

/** Width of text that no terminal shows: lines stay whole for grep, unless they are very long. */
const UNBROKEN_COLUMNS = 160;

/** Gathers the values of an option that may be repeated. */
function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

interface RunOptions {
  readonly config?: string;
  readonly mode: string;
  readonly serviceName?: string;
  readonly servicePorts?: string;
  readonly drainTimeout: string;
  readonly logLevel?: string;
}

/** The flags as the bootstrap reads them. */
function bootstrapArguments(options: RunOptions): string[] {
  const args = [`--mode=${options.mode}`, `--drain-timeout=${options.drainTimeout}`];
  if (options.logLevel !== undefined) args.push(`--log-level=${options.logLevel}`);
  if (options.config !== undefined) args.push(`--config=${options.config}`);
  if (options.serviceName !== undefined) args.push(`--service-name=${options.serviceName}`);
  if (options.servicePorts !== undefined) args.push(`--service-ports=${options.servicePorts}`);
  return args;
}

const HELP_TAIL = `
Configuration folder: CHASSIS_CONF_DIR, else $CHASSIS_HOME/conf, else the folder of --config, else ./conf

Examples:
  $ mesher demo                                          see it work
  $ mesher --service-ports=rest:8080                     a sidecar with the configuration in ./conf
  $ mesher --mode=transparent --service-name=shop        connections come by rules (mesher intercept apply)
  $ mesher config check conf
  $ mesher config diff conf                              what the files would change in the running sidecar
  $ mesher explain GET http://world/v2 -H 'x-user: 1'
  $ mesher registry                                      a service-center for development
  $ mesher intercept plan                                rules that send all connections through the sidecar

Exit status: 0 ended as asked, 1 failed while running, 2 wrong command line, 3 wrong configuration,
126 rules of interception do not hold`;
