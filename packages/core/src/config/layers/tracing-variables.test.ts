import { expect } from 'chai';
import { loadFiles, NAMED } from '../../testing/load-files.js';
import type { TracingOptions } from '../sections/tracing.js';

interface Read {
  readonly tracing: TracingOptions;
  readonly notices: readonly string[];
}

async function read(env: Readonly<Record<string, string>>, yaml = ''): Promise<Read> {
  const { document, notices, errors, said } = await loadFiles({ ...NAMED, 'tracing.yaml': yaml }, { env });
  if (document === undefined) throw new Error(said(errors).join('\n'));
  return { tracing: document.tracing, notices: notices.map(({ path, message }) => `${path}: ${message}`) };
}

describe('environment variables of other tracers', () => {
  it('switch nothing on by themselves, unless they name a collector', async () => {
    const { tracing, notices } = await read({ JAEGER_SAMPLER_TYPE: 'const', OTEL_SERVICE_NAME: 'x', JAEGER_USER: 'u' });
    expect(tracing.tracer).to.equal(undefined);
    expect(notices).to.deep.equal([]);
    expect((await read({ OTEL_TRACES_EXPORTER: 'zipkin' })).tracing.tracer).to.equal('zipkin');
    const none = { OTEL_TRACES_EXPORTER: 'none', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318' };
    expect((await read(none)).tracing.tracer).to.equal(undefined);
  });

  it('of OpenTelemetry are understood', async () => {
    const { tracing, notices } = await read({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/',
      OTEL_SERVICE_NAME: 'shop',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=prod,team=a%20b,service.name=other',
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.25',
      OTEL_PROPAGATORS: 'tracecontext,baggage,b3multi',
      OTEL_BSP_SCHEDULE_DELAY: '1',
      OTEL_BSP_MAX_QUEUE_SIZE: 'many',
    });
    expect(tracing).to.include({ tracer: 'otlp', serviceName: 'shop', enabled: true, maxQueuedSpans: 4096 });
    expect(tracing.settings).to.include({ URI: 'http://collector:4318/v1/traces', batchInterval: 10 });
    expect([...tracing.tags]).to.deep.equal([
      ['deployment.environment', 'prod'],
      ['team', 'a b'],
    ]);
    expect(tracing.sampler).to.deep.include({ type: 'probabilistic', param: 0.25, parentBased: true });
    expect(tracing.formats).to.deep.equal({ read: ['w3c', 'b3multi'], write: ['w3c', 'b3multi'] });
    expect(notices).to.deep.equal(["OTEL_BSP_MAX_QUEUE_SIZE: expects a whole number, found 'many'; it is not used"]);
    expect((await read({ OTEL_SDK_DISABLED: 'true' })).tracing.enabled).to.equal(false);
  });

  it('of netramesh are in milliseconds', async () => {
    const { tracing } = await read({
      NETRA_TRACING_CONTEXT_EXPIRATION_MILLISECONDS: '7000',
      NETRA_TRACING_CONTEXT_CLEANUP_INTERVAL: '500',
      NETRA_HTTP_TRACING_IGNORED_PATHS: '/health,/ready',
      HTTP_HEADER_TAG_MAP: 'x-user:user,bad',
      HTTP_COOKIE_TAG_MAP: 'session:sid',
    });
    expect(tracing.correlation).to.include({ expiration: 7000, cleanupInterval: 500 });
    expect(tracing.ignoredPaths).to.deep.equal(['/health', '/ready']);
    expect([...tracing.headerTags, ...tracing.cookieTags]).to.deep.equal([
      ['x-user', 'user'],
      ['session', 'sid'],
    ]);
  });

  it('say nothing about the sampler when files do', async () => {
    const env = { JAEGER_AGENT_HOST: 'a', JAEGER_SAMPLER_TYPE: 'const', JAEGER_SAMPLER_PARAM: '0' };
    const { tracing } = await read(env, 'tracing: {samplingRate: 0.2}');
    expect(tracing.sampler).to.include({ type: undefined, param: undefined });
    expect(tracing.samplingRate).to.equal(0.2);
  });

  it('lose against files, and do not send spans of one kind to a collector of the other', async () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', OTEL_SERVICE_NAME: 'shop' };
    const zipkin = await read(env, 'tracing: {tracer: zipkin, serviceName: mine}');
    expect(zipkin.tracing).to.include({ tracer: 'zipkin', serviceName: 'mine' });
    expect(zipkin.tracing.settings.URI).to.equal(undefined);
    const otlp = await read(env, 'servicecomb.tracing.tracer: otlp');
    expect(otlp.tracing.settings.URI).to.equal('http://c:4318/v1/traces');
  });
});
