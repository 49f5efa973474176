import type { ConfigEntry } from '../tree/config-node.js';
import type { Environment } from '../yaml/placeholders.js';

/** Default port of StatsD, which netramesh's library has too when no address is given. */
const STATSD_PORT = 8125;

/**
 * What netramesh's variables say about StatsD and the ports for metrics and profiles (internal/config/global.go), as values of this
 * configuration. It read switches as the word `true` and nothing else; profiles were for everybody, and are for this machine here.
 */
export function readTelemetryVariables(env: Environment): ConfigEntry[] {
  const entries: ConfigEntry[] = [];
  const read = (name: string, key: string, convert: (text: string) => string = (text) => text): void => {
    const text = env[name] ?? '';
    if (text === '') return;
    const path = key.split('.');
    const origin = { layer: 'environment', name } as const;
    entries.push({ path, keyOrigins: path.map(() => origin), leaf: { kind: 'scalar', text: convert(text), origin } });
  };
  read('NETRA_STATSD_ENABLED', 'mesher.statsd.enabled', (text) => String(text === 'true'));
  read('NETRA_STATSD_ADDRESS', 'mesher.statsd.address', statsdAddress);
  read('NETRA_STATSD_PREFIX', 'mesher.statsd.prefix');
  read('NETRA_PROMETHEUS_PORT', 'mesher.metrics.port');
  read('NETRA_PPROF_PORT', 'pprof.listen', (port) => `127.0.0.1:${port}`);
  read('NETRA_PPROF_PORT', 'pprof.enable', () => 'true');
  return entries;
}

/** `:8125`, as Go writes this machine, and a host without a port, which means the port that StatsD has. */
function statsdAddress(text: string): string {
  if (text.startsWith(':')) return `127.0.0.1${text}`;
  return /^[^:]+$/.test(text) || /^\[[^\]]*\]$/.test(text) ? `${text}:${STATSD_PORT}` : text;
}
