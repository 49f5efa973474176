import type { Environment } from '../yaml/placeholders.js';
import { inUrl } from './tracing-endpoint.js';
import type { TracingEntries } from './tracing-entries.js';
import { isTrue, pairsOf, readFormats } from './tracing-values.js';

// https://github.com/jaegertracing/jaeger-client-go#environment-variables

/** Jaeger's header first, so that it is what counts and what is written; callers with other ones are understood all the same. */
const READ_FORMATS = 'jaeger,w3c,b3,b3multi';
/** To Jaeger's clients, `b3` are several fields. */
const FORMATS = { b3: 'b3multi' };
const SAMPLERS: ReadonlySet<string> = new Set(['const', 'probabilistic', 'ratelimiting', 'remote']);
/** Where an agent says what is sampled. */
const SAMPLING_PORT = 5778;

/** Names that mean something to Jaeger's clients and nothing here; the text says why. */
const WITHOUT_EFFECT: Readonly<Record<string, string>> = {
  JAEGER_REPORTER_LOG_SPANS: 'spans are not logged; a span-exporter of your own can (docs/guides/tracing.md)',
  JAEGER_RPC_METRICS: 'metrics of calls are always at /metrics of the admin port',
};

/**
 * What Jaeger's clients do where nothing else is said, for a sidecar that their variables tell where spans go: it takes the place of
 * netramesh, whose peers read `uber-trace-id`, and whose storage was made for one trace in a thousand.
 */
export function readJaegerDefaults(out: TracingEntries, variable: string): void {
  out.set('formats.read', READ_FORMATS, variable);
  out.set('formats.write', 'jaeger', variable);
  out.set('sampler.type', 'remote', variable);
  const { env } = out;
  if (!SAMPLERS.has(samplerOf(env)) && (env['OTEL_TRACES_SAMPLER'] ?? '') === '') {
    const url = samplingUrl(env)?.url ?? `http://127.0.0.1:${SAMPLING_PORT}/sampling`;
    out.tell(
      variable,
      `no sampler is chosen: as with Jaeger's clients, ${url} says what is recorded, and one trace in a thousand is until it answers; JAEGER_SAMPLER_TYPE=const records all`,
    );
  }
}

/** @param isNamed the command line says how the service is called, which to netramesh is its name in traces as well */
export function readJaegerVariables(out: TracingEntries, isNamed: boolean): void {
  const { env } = out;
  if (isTrue(env['JAEGER_DISABLED'])) out.set('enabled', 'false', 'JAEGER_DISABLED');
  if (!isNamed) out.copy('JAEGER_SERVICE_NAME', 'serviceName');
  out.number('JAEGER_REPORTER_MAX_QUEUE_SIZE', 'maxQueuedSpans', 16, 1_000_000);
  out.duration('JAEGER_REPORTER_FLUSH_INTERVAL', 'settings.batchInterval', 10, 600_000);
  readFormats(out, 'JAEGER_PROPAGATION', FORMATS);
  // `key=${NAME:default}` takes the value of another variable.
  for (const [key, value] of pairsOf(env['JAEGER_TAGS'])) {
    const [, name, otherwise = ''] = /^\$\{([^:}]+)(?::([^}]*))?\}$/.exec(value) ?? [];
    out.set(['tags', key], name === undefined ? value : (env[name] ?? otherwise), 'JAEGER_TAGS');
  }
  readSampler(out);
  for (const [name, why] of Object.entries(WITHOUT_EFFECT)) if (isTrue(env[name])) out.tell(name, why);
}

function readSampler(out: TracingEntries): void {
  const { env } = out;
  const type = samplerOf(env);
  if (SAMPLERS.has(type)) out.set('sampler.type', type, 'JAEGER_SAMPLER_TYPE');
  else if (type !== '') {
    out.tell('JAEGER_SAMPLER_TYPE', `there is no sampler '${type}'; known are ${[...SAMPLERS].join(', ')}`);
  }
  out.decimal('JAEGER_SAMPLER_PARAM', 'sampler.param');
  const place = samplingUrl(env);
  if (place !== undefined) out.set('sampler.url', place.url, place.variable);
  out.duration('JAEGER_SAMPLER_REFRESH_INTERVAL', 'sampler.refreshInterval', 100, 3_600_000);
  out.number('JAEGER_SAMPLER_MAX_OPERATIONS', 'sampler.maxOperations', 1, 100_000);
}

function samplerOf(env: Environment): string {
  return (env['JAEGER_SAMPLER_TYPE'] ?? '').trim().toLowerCase();
}

/** What is asked, as Jaeger's client for Go finds it: a URL, a host with a port, or the host of the agent. */
function samplingUrl(env: Environment): { readonly url: string; readonly variable: string } | undefined {
  for (const variable of ['JAEGER_SAMPLING_ENDPOINT', 'JAEGER_SAMPLER_MANAGER_HOST_PORT']) {
    const text = env[variable] ?? '';
    if (text === '') continue;
    const url = /^https?:\/\//.test(text) ? text : `http://${text}/sampling`;
    if (URL.canParse(url)) return { url, variable };
  }
  const host = env['JAEGER_AGENT_HOST'] ?? '';
  if (host === '') return undefined;
  return { url: `http://${inUrl(host)}:${SAMPLING_PORT}/sampling`, variable: 'JAEGER_AGENT_HOST' };
}
