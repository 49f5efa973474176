import type { Notice } from '../problem.js';
import type { ConfigEntry, Leaf } from '../tree/config-node.js';
import type { Environment } from '../yaml/placeholders.js';
import { endpointOf, type TracerChoice } from './tracing-endpoint.js';
import { readJaegerDefaults, readJaegerVariables } from './jaeger-variables.js';
import { TracingEntries } from './tracing-entries.js';
import { isTrue, pairsOf, readFormats } from './tracing-values.js';

/** Samplers of OpenTelemetry, as ours: type, parameter when it is fixed, and whether the caller's decision counts. */
const OTEL_SAMPLERS: Readonly<Record<string, readonly [type: string, param: string | undefined, parent: boolean]>> = {
  always_on: ['const', '1', false],
  always_off: ['const', '0', false],
  traceidratio: ['probabilistic', undefined, false],
  parentbased_always_on: ['const', '1', true],
  parentbased_always_off: ['const', '0', true],
  parentbased_traceidratio: ['probabilistic', undefined, true],
};

/**
 * What the environment variables of Jaeger's clients, of OpenTelemetry's SDKs and of netramesh say about tracing, as values of the section
 * `tracing`. Files win over them: an application's variables are often those of its sidecar too. OpenTelemetry's win over Jaeger's.
 * @param files what the files say
 * @param isNamed the command line says how the service is called
 */
export function readTracingVariables(
  env: Environment,
  files: readonly ConfigEntry[],
  isNamed = false,
): { entries: ConfigEntry[]; notices: Notice[] } {
  const out = new TracingEntries(env);
  const tracer = textAt(files, 'tracing.tracer');
  readEndpoint(out, endpointOf(env, tracer), tracer);
  readJaegerVariables(out, isNamed);
  readOpenTelemetry(out);
  readNetramesh(out);
  const inFiles = new Set(files.map(({ path }) => path.join('.')));
  // Whether anything is traced was the user's decision; what other variables say about it then interests nobody.
  const isTraced = tracer !== undefined || out.has('tracer');
  const hasSampler =
    inFiles.has('tracing.samplingRate') || [...inFiles].some((key) => key.startsWith('tracing.sampler.'));
  const isOverruled = (key: string): boolean =>
    // One sampler comes from one place: a type from here and a share from there would be nobody's intention.
    inFiles.has(key) || (hasSampler && key.startsWith('tracing.sampler.'));
  const entries = out.entries.filter(({ path }) => !isOverruled(path.join('.')));
  return { entries, notices: isTraced ? out.notices : [] };
}

function readEndpoint(out: TracingEntries, choice: TracerChoice | undefined, tracer: string | undefined): void {
  if (choice === undefined) return;
  if (tracer === undefined) out.set('tracer', choice.tracer, choice.variable);
  if (choice.uri !== undefined) out.set('settings.URI', choice.uri, choice.variable);
  for (const [name, value] of Object.entries(choice.settings ?? {})) {
    out.set(['settings', name], value, choice.variable);
  }
  if (choice.tracer === 'jaeger' && tracer === undefined) readJaegerDefaults(out, choice.variable);
  if (choice.remark !== undefined) out.tell(choice.variable, choice.remark);
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

function textAt(entries: readonly ConfigEntry[], key: string): string | undefined {
  const leaf: Leaf | undefined = entries.findLast(({ path }) => path.join('.') === key)?.leaf;
  return leaf?.kind === 'scalar' && leaf.text !== '' ? leaf.text : undefined;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
