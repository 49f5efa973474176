import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CHASSIS_SECTIONS } from '../composition/chassis-sections.js';
import { ConfigurationReloader, type ReloadResult } from '../config/live/configuration-reloader.js';
import { LiveConfiguration } from '../config/live/live-configuration.js';
import type { MeshDocument } from '../config/document.js';
import type { SourceLayer } from '../config/layers/config-sources.js';
import { loadConfiguration } from '../config/load.js';
import { formatProblems } from '../config/problem.js';
import { MeshEvents } from '../telemetry/mesh-events.js';
import { PolicyMetrics } from '../telemetry/policy-metrics.js';
import { fakePorts, type FakeTime } from './fake-ports.js';
import { RecordingLogger } from './recording-logger.js';

/** A reloader over a folder, with the time and everything that it tells at hand. */
export class ReloadRig {
  readonly changes: MeshDocument[] = [];
  readonly results: ReloadResult[] = [];
  sources: readonly SourceLayer[] = [];

  private constructor(
    readonly folder: string,
    readonly live: LiveConfiguration,
    readonly reloader: ConfigurationReloader,
    readonly logger: RecordingLogger,
    readonly events: MeshEvents,
    readonly metrics: PolicyMetrics,
    readonly time: FakeTime,
  ) {
    live.onChange((document) => this.changes.push(document));
  }

  /** @throws Error with the mistakes of the files */
  static async open(folder: string): Promise<ReloadRig> {
    const ports = fakePorts();
    const logger = new RecordingLogger();
    const events = new MeshEvents(ports.clock);
    const metrics = new PolicyMetrics();
    const common = { confDir: folder, env: {}, sections: CHASSIS_SECTIONS };
    const started = await loadConfiguration(common);
    if (started.document === undefined) throw new Error(formatProblems(started.errors));
    const live = new LiveConfiguration(started.document, logger);
    const reloader = new ConfigurationReloader({
      live,
      started,
      place: { confDir: folder },
      read: () =>
        loadConfiguration({
          ...common,
          sources: rig.sources,
          ...(started.asRunning === undefined ? {} : { running: started.asRunning }),
        }),
      sourcesDigest: () => JSON.stringify(rig.sources.map(({ name, entries }) => [name, ...entries])),
      options: { enabled: true, debounce: DEBOUNCE_MS, poll: POLL_MS },
      ports,
      logger,
      events,
      metrics,
    });
    const rig: ReloadRig = new ReloadRig(folder, live, reloader, logger, events, metrics, ports.time);
    await reloader.start();
    return rig;
  }

  /** Writes files as editors and tools do: beside, then renamed over. */
  async write(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, text] of Object.entries(files)) {
      await writeFile(join(this.folder, `.${name}.tmp`), text);
      await rename(join(this.folder, `.${name}.tmp`), join(this.folder, name));
    }
  }

  /** A hint, the debounce, and the look that follows. */
  async hintAndLook(): Promise<ReloadResult | undefined> {
    this.reloader.hint();
    this.time.advance(DEBOUNCE_MS);
    return await this.reloader.whenIdle();
  }

  count(result: ReloadResult): number {
    const family = this.metrics.families().find(({ definition }) => definition.name === 'mesher_config_reloads_total');
    const samples = [...((family?.slices() ?? []) as Iterable<readonly { labels: object; value: number }[]>)].flat();
    return samples.find(({ labels }) => (labels as { result: string }).result === result)?.value ?? 0;
  }

  gauge(name: string): number | undefined {
    const family = this.metrics.families().find(({ definition }) => definition.name === name);
    return [...((family?.slices() ?? []) as Iterable<readonly { value: number }[]>)].flat()[0]?.value;
  }

  /** The mistakes of the refused configuration, with paths that start at the folder. */
  get refused(): string[] {
    const { rejected } = this.reloader.state;
    return rejected === undefined
      ? []
      : formatProblems(rejected.problems).replaceAll(`${this.folder}/`, '').split('\n');
  }
}

export const DEBOUNCE_MS = 100;
export const POLL_MS = 10_000;
