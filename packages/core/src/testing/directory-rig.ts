import { steadyBalancing } from '../loadbalance/steady-balancing.js';
import { fakePorts, type FakeTime } from './fake-ports.js';
import { ScriptedDiscovery } from './scripted-discovery.js';
import { silentLogger } from '../telemetry/logger.js';
import { DEFAULT_DIRECTORY_OPTIONS, type DirectoryOptions } from '../registry/directory-options.js';
import type { Endpoint } from '../registry/endpoint.js';
import { ServiceDirectory } from '../registry/service-directory.js';

/** A directory over a scripted registry. */
export interface DirectoryRig {
  readonly directory: ServiceDirectory;
  readonly discovery: ScriptedDiscovery;
  readonly time: FakeTime;
  /** Endpoints that the directory gave up. */
  readonly retired: Endpoint[];
}

export function directoryRig(options: Partial<DirectoryOptions> = {}): DirectoryRig {
  const { time, ...ports } = fakePorts();
  const discovery = new ScriptedDiscovery();
  const all = { ...DEFAULT_DIRECTORY_OPTIONS, ...options };
  const directory = new ServiceDirectory(discovery, ports, silentLogger(), steadyBalancing(ports), all);
  const retired: Endpoint[] = [];
  directory.onRetired((endpoint) => retired.push(endpoint));
  return { directory, discovery, time, retired };
}
