import {
  formatHostPort,
  formatOrigin,
  formatProblems,
  isMeshError,
  locateMistake,
  readBootstrap,
  systemPorts,
  type Bootstrap,
  type EffectiveValue,
  type LogLevel,
  type Logger,
  type MeshDocument,
  type Notice,
} from '@mesher/core';
import { endStart, sizeWithLoad } from '../runtime/start-phase.js';
import { load, type LoadRequest, type Loaded } from '../sidecar/load.js';
import { processLog, type ProcessLog } from '../sidecar/logger.js';
import { ConfigurationFeed } from '../sidecar/configuration-feed.js';
import { Sidecar } from '../sidecar/sidecar.js';
import { transparentSchema } from '../transparent/transparent-schema.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import type { SetExit } from './program.js';

/** Errors that are mistakes in the configuration, although they show only when the parts are put together. */
const CONFIGURATION_CODES: ReadonlySet<string> = new Set([
  'MESH_ERR_LISTEN_ADDRESS',
  'MESH_ERR_UNKNOWN_PLUGIN',
  'MESH_ERR_UNKNOWN_HANDLER',
  'MESH_ERR_DUPLICATE_PLUGIN',
  'MESH_ERR_PLUGIN_LOAD',
  'MESH_ERR_ADMIN_REMOTE',
  'MESH_ERR_UNKNOWN_STRATEGY',
  'MESH_ERR_UNKNOWN_FALLBACK',
  'MESH_ERR_NOTHING_TO_HASH',
  'MESH_ERR_HEALTH_PORT',
  'FILE_REGISTRY_SETTING',
  'KIE_SETTING',
  'SC_SETTING',
  'CONSUL_SETTING',
]);

const DEFAULT_LOG_LEVEL: LogLevel = 'info';

/** Runs a sidecar until a signal or the admin API ends it. */
export async function runSidecar(args: readonly string[], setExit: SetExit): Promise<void> {
  let bootstrap: Bootstrap;
  try {
    bootstrap = await readBootstrap({ args, env: process.env, cwd: process.cwd() });
  } catch (error) {
    return fail(error, EXIT.usage, setExit);
  }
  const log = processLog(bootstrap.logLevel ?? DEFAULT_LOG_LEVEL);
  try {
    await runWith(bootstrap, log, setExit);
  } finally {
    log.flush();
  }
}

async function runWith(bootstrap: Bootstrap, log: ProcessLog, setExit: SetExit): Promise<void> {
  const { logger } = log;
  const ports = systemPorts();
  const { confDir, configFile, serviceName } = bootstrap;
  const overrides: Readonly<Record<string, string>> =
    serviceName === undefined ? {} : { 'servicecomb.service.name': serviceName };
  const request: LoadRequest = { confDir, configFile, env: process.env, overrides };
  let loaded: Loaded;
  try {
    loaded = await load(request);
  } catch (error) {
    return fail(error, EXIT.configuration, setExit);
  }
  const { errors, notices } = loaded.configuration;
  for (const notice of notices) logNotice(logger, notice);
  if (loaded.configuration.document === undefined) {
    process.stderr.write(
      `${formatProblems(errors)}\nmesher: the configuration in ${bootstrap.confDir} has ${errors.length} error(s)\n`,
    );
    setExit(EXIT.configuration);
    return;
  }
  let feed: ConfigurationFeed;
  try {
    if (bootstrap.mode === 'transparent') {
      const options = loaded.configuration.document.section('transparent', transparentSchema);
      const [{ becomeExempt }, { neededFiles }] = await Promise.all([
        import('../transparent/exempt-user.js'),
        import('../transparent/needed-files.js'),
      ]);
      becomeExempt(options, { logger, reads: neededFiles(bootstrap.confDir, loaded.configuration) });
    }
    feed = await ConfigurationFeed.open(loaded, request, { ports, logger });
  } catch (error) {
    return fail(error, EXIT.configuration, setExit, loaded.configuration.effective);
  }
  const { document } = feed.started;
  const followLevel = (changed: MeshDocument): void =>
    log.setLevel(bootstrap.logLevel ?? changed.logLevel ?? DEFAULT_LOG_LEVEL);
  followLevel(document);
  const onHangUp = (): void => void feed.reload();
  process.on('SIGHUP', onHangUp);
  const stop = new StopSignals(log);
  try {
    const sidecar = await Sidecar.start({
      document,
      feed,
      bootstrap,
      catalog: loaded.catalog,
      logger,
      onDrainRequest: () => stop.drain(),
      onServing: (stats) => {
        endStart();
        sizeWithLoad(stats, ports.timers);
      },
      signal: stop.signal,
      ports,
    });
    sidecar.chassis.configuration.onChange(followLevel);
    // A change may have come while the rest was starting.
    followLevel(sidecar.chassis.document);
    logReady(logger, sidecar, document.service.name);
    await stop.requested;
    await sidecar.drain();
    await sidecar.close();
    setExit(EXIT.ok);
  } catch (error) {
    if (isMeshError(error, 'MESH_ERR_STOPPED')) setExit(EXIT.ok);
    else fail(error, EXIT.failed, setExit, feed.started.effective);
  } finally {
    process.off('SIGHUP', onHangUp);
    feed.close();
    stop.release();
  }
}

/** Waits for the first signal or a drain by the admin API; the second signal ends the process at once. */
class StopSignals {
  readonly requested: Promise<void>;
  #resolve!: () => void;
  readonly #starting = new AbortController();
  #signals = 0;
  #draining = false;
  readonly #onSignal = (signal: NodeJS.Signals): void => this.#signalled(signal);

  constructor(private readonly log: ProcessLog) {
    this.requested = new Promise((resolve) => (this.#resolve = resolve));
    process.on('SIGTERM', this.#onSignal);
    process.on('SIGINT', this.#onSignal);
  }

  /** Aborts when the process is asked to end; of use while it starts. */
  get signal(): AbortSignal {
    return this.#starting.signal;
  }

  /** No signal: a preStop hook asks for a drain, perhaps twice, and the SIGTERM that follows must not cut it short. */
  drain(): void {
    this.#begin('POST /drain');
  }

  release(): void {
    process.off('SIGTERM', this.#onSignal);
    process.off('SIGINT', this.#onSignal);
  }

  #signalled(signal: NodeJS.Signals): void {
    if (++this.#signals > 1) {
      this.log.logger.info({ by: signal }, 'stopping at once');
      this.log.flush();
      process.exit(EXIT.failed);
    }
    this.#begin(signal);
  }

  #begin(by: string): void {
    if (this.#draining) return;
    this.#draining = true;
    this.log.logger.info({ by }, 'stopping');
    this.#starting.abort();
    this.#resolve();
  }
}

function logReady(logger: Logger, sidecar: Sidecar, service: string): void {
  const { outbound, inbound, transparent, registered, admin, metrics, profiles } = sidecar.addresses;
  logger.info(
    {
      service,
      outbound: outbound.map(formatHostPort),
      inbound: inbound.map(formatHostPort),
      ...(transparent === undefined ? {} : { transparent: formatHostPort(transparent) }),
      registered: Object.fromEntries([...registered].map(([name, address]) => [name, formatHostPort(address)])),
      admin: admin?.url,
      ...(metrics === undefined ? {} : { metrics: metrics.url }),
      ...(profiles === undefined ? {} : { profiles: profiles.url }),
    },
    'ready',
  );
}

function logNotice(logger: Logger, notice: Notice): void {
  const fields = { key: notice.path, at: formatOrigin(notice.origin) };
  if (notice.kind === 'unknown-key') logger.warn(fields, notice.message);
  else logger.info(fields, notice.message);
}

/** @param effective what is written where, so that a mistake in the configuration is shown with file and line */
function fail(error: unknown, code: ExitCode, setExit: SetExit, effective: readonly EffectiveValue[] = []): void {
  if (!isMeshError(error)) throw error;
  process.stderr.write(`mesher: ${formatProblems([locateMistake(error, effective)])}\n`);
  setExit(exitCodeOf(error.code) ?? code);
}

function exitCodeOf(errorCode: string): ExitCode | undefined {
  // A service port that is one of the sidecar's own shows only once all ports are known.
  if (errorCode === 'MESH_ERR_USAGE') return EXIT.usage;
  return CONFIGURATION_CODES.has(errorCode) ? EXIT.configuration : undefined;
}
