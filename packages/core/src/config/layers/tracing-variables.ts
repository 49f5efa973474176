import type { Notice } from '../problem.js';
import type { ConfigEntry, Leaf } from '../tree/config-node.js';
import type { Environment } from '../yaml/placeholders.js';
import { endpointOf, type TracerChoice } from './tracing-endpoint.js';
import { TracingEntries } from './tracing-entries.js';

/** Samplers of OpenTelemetry, as ours: type, parameter when it is fixed, and whether the caller's decision counts. */
const OTEL_SAMPLERS: Readonly<Record<string, readonly [type: string, param: string | undefined, parent: boolean]>> = {
  always_on: ['const', '1', false],
  always_off: ['const', '0', false],
  traceidratio: ['probabilistic', undefined, false],
  parentbased_always_on: ['const', '1', true],
  parentbased_always_off: ['const', '0', true],
  parentbased_traceidratio: ['probabilistic', undefined, true],
};

const FORMATS: Readonly<Record<string, string>> = {
  tracecontext: 'w3c',
  w3c: 'w3c',
  b3: 'b3',
  b3multi: 'b3multi',
  jaeger: 'jaeger',
};

/** Names that mean something to other tracers and nothing here; the text says why. */
const WITHOUT_EFFECT: Readonly<Record<string, string>> = {
  JAEGER_SAMPLER_MANAGER_HOST_PORT: 'sampling is not configured by a server',
  JAEGER_SAMPLER_REFRESH_INTERVAL: 'sampling is not configured by a server',
  JAEGER_SAMPLER_MAX_OPERATIONS: 'sampling is not configured by operation',
  JAEGER_REPORTER_LOG_SPANS: 'spans are not logged',
  JAEGER_RPC_METRICS: 'metrics are always at /metrics of the admin port',
  JAEGER_USER: 'use OTEL_EXPORTER_OTLP_HEADERS',
  JAEGER_PASSWORD: 'use OTEL_EXPORTER_OTLP_HEADERS',
};

/**
 * What the environment variables of Jaeger's clients, of OpenTelemetry's SDKs and of netramesh say about tracing, as values of the section
 * `tracing`. Files win over them: an application's variables are often those of its sidecar too. OpenTelemetry's win over Jaeger's.
 * @param files what the files say
 */
export function readTracingVariables(
  env: Environment,
  files: readonly ConfigEntry[],
): { entries: ConfigEntry[]; notices: Notice[] } {
  const out = new TracingEntries(env);
  const tracer = textAt(files, 'tracing.tracer');
  readEndpoint(out, endpointOf(env, tracer), tracer);
  readJaeger(out);
  readOpenTelemetry(out);
  readNetramesh(out);
  const inFiles = new Set(files.map(({ path }) => path.join('.')));
  // Whether anything is traced was the user's decision; what other variables say about it then interests nobody.
  const isTraced = tracer !== undefined || out.has('tracer');
  const entries = out.entries.filter(({ path }) => !inFiles.has(path.join('.')));
  return { entries, notices: isTraced ? out.notices : [] };
}

function readEndpoint(out: TracingEntries, choice: TracerChoice | undefined, tracer: string | undefined): void {
  if (choice === undefined) return;
  if (tracer === undefined) out.set('tracer', choice.tracer, choice.variable);
  if (choice.uri !== undefined) out.set('settings.URI', choice.uri, choice.variable);
  if (choice.remark !== undefined) out.tell(choice.variable, choice.remark);
}

function readJaeger(out: TracingEntries): void {
  const { env } = out;
  if (isTrue(env['JAEGER_DISABLED'])) out.set('enabled', 'false', 'JAEGER_DISABLED');
  out.copy('JAEGER_SERVICE_NAME', 'serviceName');
  out.number('JAEGER_REPORTER_MAX_QUEUE_SIZE', 'maxQueuedSpans', 16, 1_000_000);
  out.copy('JAEGER_REPORTER_FLUSH_INTERVAL', 'settings.batchInterval');
  readFormats(out, 'JAEGER_PROPAGATION');
  // `key=${NAME:default}` takes the value of another variable.
  for (const [key, value] of pairsOf(env['JAEGER_TAGS'])) {
    const [, name, otherwise = ''] = /^\$\{([^:}]+)(?::([^}]*))?\}$/.exec(value) ?? [];
    out.set(['tags', key], name === undefined ? value : (env[name] ?? otherwise), 'JAEGER_TAGS');
  }
  const type = env['JAEGER_SAMPLER_TYPE'];
  if (type === 'remote') {
    out.tell('JAEGER_SAMPLER_TYPE', 'sampling is not configured by a server; tracing.sampler says what is sampled');
  } else if (type !== undefined && type !== '') {
    out.copy('JAEGER_SAMPLER_TYPE', 'sampler.type');
    out.copy('JAEGER_SAMPLER_PARAM', 'sampler.param');
  }
  for (const [name, why] of Object.entries(WITHOUT_EFFECT)) if ((env[name] ?? '') !== '') out.tell(name, why);
}

function readOpenTelemetry(out: TracingEntries): void {
  const { env } = out;
  if (isTrue(env['OTEL_SDK_DISABLED'])) out.set('enabled', 'false', 'OTEL_SDK_DISABLED');
  for (const [key, value] of pairsOf(env['OTEL_RESOURCE_ATTRIBUTES'])) {
    const text = decoded(value);
    out.set(key === 'service.name' ? ['serviceName'] : ['tags', key], text, 'OTEL_RESOURCE_ATTRIBUTES');
  }
  out.copy('OTEL_SERVICE_NAME', 'serviceName');
  readFormats(out, 'OTEL_PROPAGATORS');
  out.number('OTEL_BSP_SCHEDULE_DELAY', 'settings.batchInterval', 10, 600_000, 'ms');
  out.number('OTEL_BSP_MAX_QUEUE_SIZE', 'maxQueuedSpans', 16, 1_000_000);
  out.number('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 'settings.batchSize', 1, 10_000);
  out.number('OTEL_BSP_EXPORT_TIMEOUT', 'settings.timeout', 10, 300_000, 'ms');
  const name = env['OTEL_TRACES_SAMPLER'];
  if (name === undefined || name === '') return;
  const sampler = Object.hasOwn(OTEL_SAMPLERS, name) ? OTEL_SAMPLERS[name] : undefined;
  if (sampler === undefined) {
    out.tell('OTEL_TRACES_SAMPLER', `there is no sampler '${name}' here; tracing.sampler says what is sampled`);
    return;
  }
  const [type, param, parentBased] = sampler;
  out.set('sampler.type', type, 'OTEL_TRACES_SAMPLER');
  out.set('sampler.parentBased', String(parentBased), 'OTEL_TRACES_SAMPLER');
  if (param !== undefined) out.set('sampler.param', param, 'OTEL_TRACES_SAMPLER');
  else out.copy('OTEL_TRACES_SAMPLER_ARG', 'sampler.param');
}

/** https://github.com/Lookyan/netramesh: its names have no unit, its values are milliseconds. */
function readNetramesh(out: TracingEntries): void {
  const { env } = out;
  // They are meant for nobody else: a wrong number stops the start, as it does with netramesh.
  out.copy('NETRA_TRACING_CONTEXT_EXPIRATION_MILLISECONDS', 'correlation.expiration');
  out.copy('NETRA_TRACING_CONTEXT_CLEANUP_INTERVAL', 'correlation.cleanupInterval');
  out.copy('NETRA_HTTP_TRACING_IGNORED_PATHS', 'ignoredPaths');
  for (const [variable, section] of [
    ['HTTP_HEADER_TAG_MAP', 'headerTags'],
    ['HTTP_COOKIE_TAG_MAP', 'cookieTags'],
  ] as const) {
    for (const [name, tag] of pairsOf(env[variable], ':')) out.set([section, name], tag, variable);
  }
}

function readFormats(out: TracingEntries, variable: string): void {
  const names = (out.env[variable] ?? '').split(',').map((name) => name.trim().toLowerCase());
  const known = names.flatMap((name) => (Object.hasOwn(FORMATS, name) ? [FORMATS[name] ?? ''] : []));
  if (known.length === 0) return;
  out.set('formats.read', known.join(), variable);
  out.set('formats.write', known.join(), variable);
}

function textAt(entries: readonly ConfigEntry[], key: string): string | undefined {
  const leaf: Leaf | undefined = entries.findLast(({ path }) => path.join('.') === key)?.leaf;
  return leaf?.kind === 'scalar' && leaf.text !== '' ? leaf.text : undefined;
}

function isTrue(text: string | undefined): boolean {
  return text?.toLowerCase() === 'true';
}

/** `a=1,b=2`; what is no pair is left out. */
function pairsOf(text: string | undefined, separator = '='): (readonly [key: string, value: string])[] {
  return (text ?? '').split(',').flatMap((pair) => {
    const at = pair.indexOf(separator);
    const key = pair.slice(0, Math.max(at, 0)).trim();
    const value = pair.slice(at + 1).trim();
    return key === '' || value === '' ? [] : [[key, value] as const];
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
