import type convict from 'convict';
import { dirname, join, resolve } from 'node:path';
import { MeshError } from '../errors.js';
import { parseDuration } from './schema/duration.js';
import { parseServicePorts, parseSpecificAddress, type ServicePort } from './service-ports.js';
import type { Environment } from './yaml/placeholders.js';

/** What must be known before any file is read. */
export interface Bootstrap {
  /** Absolute path of mesher.yaml, when one was named. */
  readonly configFile: string | undefined;
  /** Absolute path of the configuration folder; it need not exist. */
  readonly confDir: string;
  readonly mode: MeshMode;
  /** Name of the local application, when the command line says it; it wins over all files. */
  readonly serviceName: string | undefined;
  /** Ports of the local application; empty when none was declared. */
  readonly servicePorts: readonly ServicePort[];
  /** How long requests may finish at the end, in milliseconds. */
  readonly drainTimeoutMs: number;
  /** Undefined when neither flag nor environment says one: then `logLevel` of lager.yaml counts, or `info`. */
  readonly logLevel: LogLevel | undefined;
}

/** transparent: connections come by rules of interception, and the application knows of no proxy. */
export type MeshMode = 'sidecar' | 'transparent';
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface BootstrapSources {
  /** Command line without program and script: `['--config=conf/mesher.yaml', '--mode', 'sidecar']`. Unknown flags are left to others. */
  readonly args: readonly string[];
  readonly env: Environment;
  /** Folder that relative paths start from. */
  readonly cwd: string;
}

/** Modes of go-chassis mesher and of the mesh to come, and why they cannot be chosen yet. */
const LATER_MODES: Readonly<Record<string, string>> = {
  'per-host': 'one mesher for all services of a machine',
  edge: 'a gateway at the edge of the mesh',
};

const LOG_LEVELS: readonly string[] = ['debug', 'info', 'warn', 'error'];

/** The bootstrap settings as convict declares them: each has one flag and one environment variable; the flag wins. */
function declareBootstrap(
  declare: typeof convict,
  options: convict.Options,
): convict.Config<Record<SettingName, string>> {
  return declare<Record<SettingName, string>>(
    {
      config: {
        doc: 'Path of mesher.yaml',
        format: String,
        default: '',
        env: 'MESHER_CONFIG',
        arg: 'config',
      },
      mode: {
        doc: 'Role of this process',
        format: checkMode,
        default: 'sidecar',
        env: 'MESHER_MODE',
        arg: 'mode',
      },
      serviceName: {
        doc: 'Name of the local application',
        format: String,
        default: '',
        arg: 'service-name',
      },
      servicePorts: {
        doc: 'Ports of the local application',
        format: (value: unknown) => void parseServicePorts(String(value)),
        default: '',
        env: 'SERVICE_PORTS',
        arg: 'service-ports',
      },
      specificAddress: {
        doc: 'Older form of the ports of the local application',
        format: (value: unknown) => void (value === '' ? undefined : parseSpecificAddress(String(value))),
        default: '',
        env: 'SPECIFIC_ADDR',
      },
      confDir: {
        doc: 'Folder of the configuration files',
        format: String,
        default: '',
        env: 'CHASSIS_CONF_DIR',
      },
      chassisHome: {
        doc: 'Folder that holds conf/',
        format: String,
        default: '',
        env: 'CHASSIS_HOME',
      },
      drainTimeout: {
        doc: 'How long requests may finish at the end',
        format: checkDrainTimeout,
        // The time Kubernetes gives a pod to end, and what the registries' refresh interval asks for.
        default: '30s',
        env: 'MESHER_DRAIN_TIMEOUT',
        arg: 'drain-timeout',
      },
      logLevel: {
        doc: 'Least severe level that is written',
        format: checkLogLevel,
        default: '',
        env: 'MESHER_LOG_LEVEL',
        arg: 'log-level',
      },
    },
    options,
  );
}

type SettingName =
  | 'config'
  | 'mode'
  | 'serviceName'
  | 'servicePorts'
  | 'specificAddress'
  | 'confDir'
  | 'chassisHome'
  | 'drainTimeout'
  | 'logLevel';

/**
 * Reads flags and environment. The configuration folder is CHASSIS_CONF_DIR, else $CHASSIS_HOME/conf, else the folder of
 * `--config`, else ./conf.
 * @throws MeshError MESH_ERR_USAGE naming everything that is wrong, one line each
 */
export async function readBootstrap({ args, env, cwd }: BootstrapSources): Promise<Bootstrap> {
  // Loaded here: an application that uses the SDK has no command line and should not pay for it.
  const { default: declare } = await import('convict');
  const settings = declareBootstrap(declare, { args: [...args], env: withoutEmpty(env) });
  try {
    settings.validate({ allowed: 'strict' });
  } catch (error) {
    throw new MeshError('MESH_ERR_USAGE', describeFailure(error));
  }
  const config = settings.get('config');
  const ports = parseServicePorts(settings.get('servicePorts'));
  const specific = settings.get('specificAddress');
  const mode = settings.get('mode') as MeshMode;
  const level = settings.get('logLevel').toLowerCase() || (mode === 'transparent' ? netraLevel(env) : '');
  return {
    configFile: config === '' ? undefined : resolve(cwd, config),
    confDir: resolveConfDir({
      confDir: settings.get('confDir'),
      chassisHome: settings.get('chassisHome'),
      configFile: config,
      cwd,
    }),
    mode,
    serviceName: settings.get('serviceName') === '' ? undefined : settings.get('serviceName'),
    servicePorts: ports.length > 0 || specific === '' ? ports : parseSpecificAddress(specific),
    drainTimeoutMs: parseDuration(settings.get('drainTimeout'), 's') ?? 0,
    logLevel: level === '' ? undefined : (level as LogLevel),
  };
}

/** The folder of the configuration files; empty texts count as not given. */
export function resolveConfDir(places: {
  readonly confDir?: string | undefined;
  readonly chassisHome?: string | undefined;
  readonly configFile?: string | undefined;
  readonly cwd: string;
}): string {
  const given = (text: string | undefined): string | undefined => (text === '' ? undefined : text);
  const home = given(places.chassisHome);
  const configFile = given(places.configFile);
  const folder =
    given(places.confDir) ??
    (home === undefined ? undefined : join(home, 'conf')) ??
    (configFile === undefined ? 'conf' : dirname(configFile));
  return resolve(places.cwd, folder);
}

function withoutEmpty(env: Environment): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== ''),
  );
}

function checkMode(value: unknown): void {
  const mode = String(value);
  const later = Object.hasOwn(LATER_MODES, mode) ? LATER_MODES[mode] : undefined;
  if (later !== undefined) {
    throw new Error(
      `--mode=${mode} (${later}) is not available in this version; use --mode=sidecar or --mode=transparent`,
    );
  }
  if (mode !== 'sidecar' && mode !== 'transparent') {
    throw new Error(`--mode=${mode} is no mode; use --mode=sidecar or --mode=transparent`);
  }
}

/** Longest wait at the end: beyond it somebody has mistaken the unit. */
const LONGEST_DRAIN = '24h';

function checkDrainTimeout(value: unknown): void {
  const milliseconds = parseDuration(String(value), 's');
  if (milliseconds === undefined || milliseconds > (parseDuration(LONGEST_DRAIN) ?? 0)) {
    throw new Error(`--drain-timeout=${String(value)} is no duration up to ${LONGEST_DRAIN}; write 30s or 500ms`);
  }
}

/** Levels of netramesh that have another name here, or a neighbour. */
const NETRA_LEVELS: Readonly<Record<string, LogLevel>> = {
  fatal: 'error',
  error: 'error',
  warning: 'warn',
  warn: 'warn',
  info: 'info',
  debug: 'debug',
};

/** @throws MeshError MESH_ERR_USAGE for a level that netramesh would not start with either */
function netraLevel(env: Environment): LogLevel | '' {
  const text = env['NETRA_LOGGER_LEVEL'] ?? '';
  if (text === '') return '';
  const level = Object.hasOwn(NETRA_LEVELS, text.toLowerCase()) ? NETRA_LEVELS[text.toLowerCase()] : undefined;
  if (level !== undefined) return level;
  const known = Object.keys(NETRA_LEVELS).join(', ');
  throw new MeshError('MESH_ERR_USAGE', `NETRA_LOGGER_LEVEL=${text} is no level; use one of ${known}`);
}

function checkLogLevel(value: unknown): void {
  if (value !== '' && !LOG_LEVELS.includes(String(value).toLowerCase())) {
    throw new Error(`--log-level=${String(value)} is no level; use one of ${LOG_LEVELS.join(', ')}`);
  }
}

/** convict joins its messages as `name: message: value was "x"`; ours name flag and value themselves. */
function describeFailure(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text
    .split('\n')
    .map((line) => line.replace(/^\w+: /, '').replace(/: value was ".*"$/, ''))
    .join('\n');
}
