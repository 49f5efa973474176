import type { Environment } from '../yaml/placeholders.js';

/** Where spans go, as the environment has it. */
export interface TracerChoice {
  readonly tracer: 'otlp' | 'zipkin' | 'jaeger';
  /** Undefined for the tracer's own default. */
  readonly uri: string | undefined;
  readonly variable: string;
  /** What the user should know. */
  readonly remark?: string;
  /** Settings of the tracer besides the place. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** Path of traces below `OTEL_EXPORTER_OTLP_ENDPOINT`. */
const OTLP_PATH = '/v1/traces';
/** Where agents of Jaeger take Thrift's compact protocol over UDP. */
const AGENT_PORT = '6831';

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
  const named = exporters.find((name) => name === 'otlp' || name === 'zipkin' || name === 'jaeger');
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

/** Prefixes of one set of variables: Jaeger's clients have the second one, early SDKs of OpenTelemetry the first. */
const JAEGER_PREFIXES = ['OTEL_EXPORTER_JAEGER_', 'JAEGER_'] as const;

/** Thrift over HTTP; it wins over an agent, as in Jaeger's clients. */
function jaegerCollector(env: Environment): TracerChoice | undefined {
  for (const prefix of JAEGER_PREFIXES) {
    const uri = env[`${prefix}ENDPOINT`] ?? '';
    const protocol = URL.canParse(uri) ? new URL(uri).protocol : '';
    if (protocol !== 'http:' && protocol !== 'https:') continue;
    const [user, password] = [env[`${prefix}USER`] ?? '', env[`${prefix}PASSWORD`] ?? ''];
    const settings: Record<string, string> = user === '' ? {} : { user, password };
    return { tracer: 'jaeger', uri, variable: `${prefix}ENDPOINT`, settings };
  }
  return undefined;
}

/** The host or the port alone is enough: the other one is that of an agent on this host. */
function jaegerAgent(env: Environment): TracerChoice | undefined {
  for (const prefix of JAEGER_PREFIXES) {
    const [host, port] = [env[`${prefix}AGENT_HOST`] ?? '', env[`${prefix}AGENT_PORT`] ?? ''];
    if (host === '' && port === '') continue;
    const uri = `udp://${inUrl(host === '' ? '127.0.0.1' : host)}:${/^\d+$/.test(port) ? port : AGENT_PORT}`;
    return { tracer: 'jaeger', uri, variable: host === '' ? `${prefix}AGENT_PORT` : `${prefix}AGENT_HOST` };
  }
  return undefined;
}

/** A host as a URL has it. */
export function inUrl(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}
