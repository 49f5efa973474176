import type { PolicyContext } from '../chain/policy.js';
import { CHASSIS_SECTIONS } from '../composition/chassis-sections.js';
import { LiveConfiguration } from '../config/live/live-configuration.js';
import type { MeshDocument } from '../config/document.js';
import type { Direction } from '../invocation.js';
import { NO_PLUGINS, type InstalledPlugins } from '../plugin/installed-plugins.js';
import { MeshEvents } from '../telemetry/mesh-events.js';
import { PolicyMetrics } from '../telemetry/policy-metrics.js';
import { fakePorts, type FakeTime } from './fake-ports.js';
import { loadFiles } from './load-files.js';
import { RecordingLogger } from './recording-logger.js';

/** A policy's context in a test, with the time and the log at hand. */
export interface TestPolicyContext extends PolicyContext {
  readonly time: FakeTime;
  readonly logger: RecordingLogger;
}

export interface PolicyContextSettings {
  readonly direction?: Direction;
  /** Text of configuration files by name; `microservice.yaml` names the service `orders` unless it is here. */
  readonly files?: Readonly<Record<string, string>>;
  readonly plugins?: InstalledPlugins;
}

/** What a policy is made with, over files given as text and a clock that stands still. */
export async function policyContext(settings: PolicyContextSettings = {}): Promise<TestPolicyContext> {
  const ports = fakePorts();
  const logger = new RecordingLogger();
  return {
    direction: settings.direction ?? 'outbound',
    ports,
    time: ports.time,
    logger,
    configuration: new LiveConfiguration(await meshDocument(settings.files ?? {}), logger),
    events: new MeshEvents(ports.clock),
    metrics: new PolicyMetrics(),
    plugins: settings.plugins ?? NO_PLUGINS,
  };
}

/**
 * The document that these files make.
 * @throws Error with all problems when there are any
 */
export async function meshDocument(files: Readonly<Record<string, string>>): Promise<MeshDocument> {
  const overrides = { 'servicecomb.service.name': 'orders' };
  const { document, errors, said } = await loadFiles(files, { overrides, sections: CHASSIS_SECTIONS });
  if (document === undefined) throw new Error(said(errors).join('\n'));
  return document;
}
