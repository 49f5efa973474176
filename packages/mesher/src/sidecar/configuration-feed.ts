import {
  ConfigurationReloader,
  FolderWatch,
  SourceFollower,
  configClientSchema,
  configPaths,
  formatOrigin,
  formatProblems,
  makeConfigSource,
  reloadSchema,
  within,
  type Chassis,
  type ConfigurationState,
  type LoadedConfiguration,
  type Logger,
  type MeshDocument,
  type PluginCatalog,
  type Ports,
  type ReloadResult,
  type SourceLayer,
  type SourceState,
} from '@mesher/core';
import type { JsonValue } from '@mesher/admin';
import { basename } from 'node:path';
import { readAgain, type LoadRequest, type Loaded } from './load.js';

/** A configuration that a process can be started with. */
export interface StartConfiguration extends LoadedConfiguration {
  readonly document: MeshDocument;
}

/**
 * Where the configuration of a running sidecar comes from: files, environment and config sources at the start, and their changes
 * afterwards. Opened before the chassis is made, since a source may say what it is made of; attached to it then.
 */
export class ConfigurationFeed {
  #follower: SourceFollower | undefined;
  #reloader: ConfigurationReloader | undefined;
  #watch: FolderWatch | undefined;
  #started!: StartConfiguration;

  private constructor(
    private readonly request: LoadRequest,
    private readonly catalog: PluginCatalog,
    private readonly ports: Ports,
    private readonly logger: Logger,
  ) {}

  /**
   * Asks the config source that the files choose, for as long as `servicecomb.config.client.startTimeout`. One that does not answer,
   * or says something wrong, is a warning: the start goes on with the files.
   * @param loaded from files and environment, without errors
   * @throws MeshError for an unknown type of config source, or settings that it refuses
   */
  static async open(
    loaded: Loaded,
    request: LoadRequest,
    { ports, logger }: { readonly ports: Ports; readonly logger: Logger },
  ): Promise<ConfigurationFeed> {
    const feed = new ConfigurationFeed(request, loaded.catalog, ports, logger);
    feed.#started = requireDocument(loaded.configuration);
    await feed.#askSource(feed.#started.document);
    return feed;
  }

  /** What the sidecar is to be started with. */
  get started(): StartConfiguration {
    return this.#started;
  }

  /** Sends changes to `chassis` from now on; {@link begin} starts to look for them. */
  attach(chassis: Chassis): void {
    const { request, ports, logger } = this;
    const options = this.#started.document.section('mesher.reload', reloadSchema);
    const place = { confDir: request.confDir, meshConfigFile: request.configFile };
    const reloader = new ConfigurationReloader({
      live: chassis.configuration,
      started: this.#started,
      place,
      read: () => readAgain(request, this.catalog, { sources: this.#layers, running: this.#started.asRunning }),
      sourcesDigest: () => this.#follower?.state.revision ?? '',
      onFolders: (folders) => this.#watch?.follow(folders),
      options,
      ports,
      logger,
      events: chassis.events,
      metrics: chassis.policyMetrics,
    });
    if (options.enabled)
      this.#watch = new FolderWatch(new Set(configPaths(place).map(fileName)), () => reloader.hint());
    this.#reloader = reloader;
    const follower = this.#follower;
    if (follower !== undefined) {
      chassis.policyMetrics.gauge('configSourceUp', (report) =>
        report([follower.state.name], follower.state.state === 'following' ? 1 : 0),
      );
    }
  }

  /** Begins to look for changes. */
  async begin(): Promise<void> {
    await this.#reloader?.start();
    // What the source said while the sidecar started, or what was wrong with it then.
    if (this.#follower?.layer !== undefined) this.#reloader?.hint();
  }

  /** Reads everything again at once. */
  async reload(): Promise<ReloadResult | undefined> {
    return await this.#reloader?.reload();
  }

  close(): void {
    this.#follower?.close();
    this.#reloader?.close();
    this.#watch?.close();
  }

  /** What `/config` shows. */
  view(): JsonValue {
    const state = this.#reloader?.state;
    return state === undefined ? null : configurationView(state, this.request, this.#follower?.state);
  }

  get #layers(): readonly SourceLayer[] {
    const layer = this.#follower?.layer;
    return layer === undefined ? [] : [layer];
  }

  async #askSource(document: MeshDocument): Promise<void> {
    const { ports, logger, request } = this;
    const { source, note } = await makeConfigSource(document, this.catalog, {
      ports,
      logger,
      confDir: request.confDir,
    });
    if (note !== undefined) logger.warn({}, note);
    if (source === undefined) return;
    const client = document.section('servicecomb.config.client', configClientSchema);
    const follower = new SourceFollower(source, ports, logger, client.maxRetryInterval, () => this.#reloader?.hint());
    this.#follower = follower;
    const inTime = await within(ports.timers, client.startTimeout, follower.start());
    if (follower.layer !== undefined) await this.#startWithSource();
    else if (!inTime) {
      logger.warn({ source: source.name }, 'the config source has not answered yet; the start goes on with the files');
    }
  }

  async #startWithSource(): Promise<void> {
    const configuration = await readAgain(this.request, this.catalog, { sources: this.#layers, running: undefined });
    if (configuration.document !== undefined) {
      this.#started = requireDocument(configuration);
      return;
    }
    this.logger.error(
      { problems: formatProblems(configuration.errors).split('\n') },
      'the config source says something that cannot be used; the start goes on with the files',
    );
  }
}

/** A configuration by itself, for `/config` of a sidecar that follows no changes. */
export function configurationView(state: ConfigurationState, place: LoadRequest, source?: SourceState): JsonValue {
  const { rejected } = state;
  return {
    hash: state.hash,
    loadedAt: isoTime(state.loadedAt),
    generation: state.generation,
    folder: place.confDir,
    files: [...state.files],
    source: source === undefined ? null : sourceView(source),
    rejected:
      rejected === undefined
        ? null
        : { at: isoTime(rejected.at), problems: formatProblems(rejected.problems).split('\n') },
    needsRestart: state.needsRestart.map(({ key, running, found, at, because }) => ({
      key,
      running: running ?? null,
      found: found ?? null,
      at,
      because,
    })),
    keys: Object.fromEntries(
      state.effective.map(({ key, value, origin, inEffect }) => [
        key,
        { value, from: formatOrigin(origin), ...(inEffect ? {} : { inEffect: false }) },
      ]),
    ),
  };
}

function sourceView({ name, state, revision, keys, receivedAt, lastError }: SourceState): JsonValue {
  return {
    name,
    state,
    keys,
    revision: revision ?? null,
    receivedAt: receivedAt === undefined ? null : isoTime(receivedAt),
    lastError: lastError ?? null,
  };
}

function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

function fileName(path: string): string {
  return basename(path);
}

function requireDocument(configuration: LoadedConfiguration): StartConfiguration {
  const { document } = configuration;
  if (document === undefined) throw new TypeError('a configuration with errors cannot be started with');
  return { ...configuration, document };
}
