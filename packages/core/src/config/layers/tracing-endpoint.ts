import type { Environment } from '../yaml/placeholders.js';

/** Where spans go, as the environment has it. */
export interface TracerChoice {
  readonly tracer: 'otlp' | 'zipkin';
  /** Undefined for the tracer's own default. */
  readonly uri: string | undefined;
  readonly variable: string;
  /** What the user should know. */
  readonly remark?: string;
}

/** Path of traces below `OTEL_EXPORTER_OTLP_ENDPOINT`. */
const OTLP_PATH = '/v1/traces';
/** Where Jaeger takes OTLP. */
const OTLP_PORT = 4318;

/**
 * @param tracer that of the files: variables of another kind say nothing then
 * @returns undefined when the variables name no collector
 */
export function endpointOf(env: Environment, tracer: string | undefined): TracerChoice | undefined {
  const exporters = (env['OTEL_TRACES_EXPORTER'] ?? '').split(',').map((name) => name.trim());
  if (tracer === undefined && exporters.includes('none')) return undefined;
  const choices = [
    ...(exporters.includes('zipkin') ? [zipkin(env), otlp(env)] : [otlp(env), zipkin(env)]),
    jaegerCollector(env),
    jaegerAgent(env),
  ];
  const found = choices.find((choice) => choice !== undefined && (tracer ?? choice.tracer) === choice.tracer);
  if (found !== undefined || tracer !== undefined) return found;
  const named = exporters.find((name) => name === 'otlp' || name === 'zipkin');
  return named === undefined ? undefined : { tracer: named, uri: undefined, variable: 'OTEL_TRACES_EXPORTER' };
}

function otlp(env: Environment): TracerChoice | undefined {
  const own = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] ?? '';
  const shared = env['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? '';
  if (own === '' && shared === '') return undefined;
  const protocol = env['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL'] ?? env['OTEL_EXPORTER_OTLP_PROTOCOL'] ?? '';
  const remark = 'spans go over HTTP with JSON, usually to port 4318; gRPC (4317) is not spoken';
  return {
    tracer: 'otlp',
    uri: own === '' ? `${shared.replace(/\/+$/, '')}${OTLP_PATH}` : own,
    variable: own === '' ? 'OTEL_EXPORTER_OTLP_ENDPOINT' : 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
    ...(protocol === 'grpc' ? { remark } : {}),
  };
}

function zipkin(env: Environment): TracerChoice | undefined {
  const uri = env['OTEL_EXPORTER_ZIPKIN_ENDPOINT'] ?? '';
  return uri === '' ? undefined : { tracer: 'zipkin', uri, variable: 'OTEL_EXPORTER_ZIPKIN_ENDPOINT' };
}

function jaegerCollector(env: Environment): TracerChoice | undefined {
  const endpoint = env['JAEGER_ENDPOINT'] ?? '';
  if (!URL.canParse(endpoint)) return undefined;
  const { protocol, hostname } = new URL(endpoint);
  if (protocol !== 'http:' && protocol !== 'https:') return undefined;
  return jaeger(protocol, hostname, 'JAEGER_ENDPOINT', 'Thrift');
}

function jaegerAgent(env: Environment): TracerChoice | undefined {
  const host = env['JAEGER_AGENT_HOST'] ?? '';
  if (host === '') return undefined;
  const bracketed = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  return jaeger('http:', bracketed, 'JAEGER_AGENT_HOST', 'the UDP protocol of its agents');
}

/** Jaeger has taken OTLP since 1.35, at a port of its own. */
function jaeger(protocol: string, host: string, variable: string, what: string): TracerChoice {
  const uri = `${protocol}//${host}:${OTLP_PORT}${OTLP_PATH}`;
  const remark = `Jaeger takes OTLP, and ${what} is not spoken: spans go to ${uri}; tracing.settings.URI can say another place`;
  return { tracer: 'otlp', uri, variable, remark };
}
