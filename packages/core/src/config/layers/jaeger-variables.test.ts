import { expect } from 'chai';
import { loadFiles, NAMED } from '../../testing/load-files.js';
import type { TracingOptions } from '../sections/tracing.js';

type Env = Readonly<Record<string, string>>;

async function read(env: Env, overrides: Env = {}): Promise<TracingOptions & { readonly notices: string }> {
  const { document, notices, errors, said } = await loadFiles(NAMED, { env, overrides });
  if (document === undefined) throw new Error(said(errors).join('\n'));
  return { ...document.tracing, notices: notices.map(({ path, message }) => `${path}: ${message}`).join('\n') };
}

describe("variables of Jaeger's clients", () => {
  it('are understood as netramesh understands those of its example', async () => {
    const { notices, ...tracing } = await read({
      JAEGER_AGENT_HOST: 'jaeger-agent',
      JAEGER_AGENT_PORT: '6831',
      JAEGER_SAMPLER_TYPE: 'const',
      JAEGER_SAMPLER_PARAM: '1',
    });
    expect(tracing.tracer).to.equal('jaeger');
    expect(tracing.settings.URI).to.equal('udp://jaeger-agent:6831');
    expect(tracing.sampler).to.include({ type: 'const', param: 1 });
    expect(tracing.formats).to.deep.equal({ read: ['jaeger', 'w3c', 'b3', 'b3multi'], write: ['jaeger'] });
    expect(notices).to.equal('');
  });

  it('let a server say what is sampled where they name none, and tell it', async () => {
    const { notices, sampler } = await read({ JAEGER_AGENT_HOST: '10.0.0.7' });
    expect(sampler).to.include({ type: 'remote', param: undefined, url: 'http://10.0.0.7:5778/sampling' });
    expect(notices)
      .to.contain('http://10.0.0.7:5778/sampling says what is recorded')
      .and.contain('one trace in a thousand');
    const told = await read({ JAEGER_AGENT_HOST: 'a', OTEL_TRACES_SAMPLER: 'always_on' });
    expect(told.sampler).to.include({ type: 'const', param: 1 });
    expect(told.notices).to.equal('');
  });

  it('say how that server is asked', async () => {
    const env = {
      JAEGER_AGENT_HOST: 'a',
      JAEGER_SAMPLER_TYPE: 'remote',
      JAEGER_SAMPLER_PARAM: '.5',
      JAEGER_SAMPLER_MANAGER_HOST_PORT: 'sampling:7000',
      JAEGER_SAMPLER_REFRESH_INTERVAL: '1m30s',
      JAEGER_SAMPLER_MAX_OPERATIONS: '10',
    };
    expect((await read(env)).sampler).to.include({
      ...{
        type: 'remote',
        param: 0.5,
        url: 'http://sampling:7000/sampling',
        refreshInterval: 90_000,
        maxOperations: 10,
      },
    });
    const whole = {
      ...env,
      JAEGER_SAMPLER_MANAGER_HOST_PORT: 'https://c/api/sampling',
      JAEGER_SAMPLER_REFRESH_INTERVAL: '500',
    };
    expect((await read(whole)).sampler).to.include({ url: 'https://c/api/sampling', refreshInterval: 500 });
  });

  it('name the place that is spoken to', async () => {
    const { settings, tracer } = await read({
      ...{ JAEGER_ENDPOINT: 'https://j:14268/api/traces', JAEGER_USER: 'ann', JAEGER_PASSWORD: 'p1' },
      ...{ JAEGER_AGENT_HOST: 'ignored', JAEGER_SAMPLER_TYPE: 'const' },
    });
    expect(tracer).to.equal('jaeger');
    expect(settings.URI).to.equal('https://j:14268/api/traces');
    expect([...settings.more]).to.deep.equal([
      ['user', 'ann'],
      ['password', 'p1'],
    ]);
    expect((await read({ JAEGER_AGENT_HOST: '::1', JAEGER_AGENT_PORT: 'x' })).settings.URI).to.equal(
      'udp://[::1]:6831',
    );
    expect((await read({ JAEGER_AGENT_PORT: '7000' })).settings.URI).to.equal('udp://127.0.0.1:7000');
    expect((await read({ OTEL_EXPORTER_JAEGER_AGENT_HOST: 'o' })).settings.URI).to.equal('udp://o:6831');
    const both = await read({ JAEGER_AGENT_HOST: 'a', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318' });
    expect(both.tracer).to.equal('otlp');
    expect(both.formats.write).to.deep.equal(['w3c']);
  });

  it('say how spans are marked, gathered and propagated', async () => {
    const { notices, ...tracing } = await read({
      ...{ JAEGER_AGENT_HOST: 'a', JAEGER_SAMPLER_TYPE: 'ratelimiting', JAEGER_SAMPLER_PARAM: '5' },
      ...{ JAEGER_TAGS: 'host=${NAME:none}, zone=${ZONE:a}', NAME: 'n1', JAEGER_SERVICE_NAME: 'shop' },
      ...{ JAEGER_PROPAGATION: 'jaeger,b3', JAEGER_REPORTER_FLUSH_INTERVAL: '500ms', JAEGER_RPC_METRICS: 'true' },
      ...{ JAEGER_REPORTER_LOG_SPANS: 'true', JAEGER_REPORTER_MAX_QUEUE_SIZE: '100' },
    });
    expect(tracing).to.include({ serviceName: 'shop', maxQueuedSpans: 100 });
    expect(tracing.sampler).to.include({ type: 'ratelimiting', param: 5 });
    expect([...tracing.tags].join(';')).to.equal('host,n1;zone,a');
    expect(tracing.formats.write).to.deep.equal(['jaeger', 'b3multi']);
    expect(tracing.settings.batchInterval).to.equal(500);
    expect(notices).to.contain('JAEGER_REPORTER_LOG_SPANS: spans are not logged').and.contain('JAEGER_RPC_METRICS');
    expect((await read({ JAEGER_DISABLED: 'true' })).enabled).to.equal(false);
  });

  it('do not stop the start when they are wrong', async () => {
    const { notices, sampler } = await read({
      ...{ JAEGER_AGENT_HOST: 'a', JAEGER_SAMPLER_TYPE: 'dice', JAEGER_SAMPLER_PARAM: 'six' },
      ...{ JAEGER_SAMPLER_REFRESH_INTERVAL: 'soon', JAEGER_REPORTER_MAX_QUEUE_SIZE: 'long' },
    });
    expect(sampler).to.include({ type: 'remote', param: undefined, refreshInterval: 60_000 });
    for (const text of ["no sampler 'dice'", "found 'six'", "found 'soon'", "found 'long'"])
      expect(notices).to.contain(text);
  });

  it('name the service unless the command line does, as with netramesh', async () => {
    const env = { JAEGER_AGENT_HOST: 'a', JAEGER_SERVICE_NAME: 'other' };
    expect((await read(env, { 'servicecomb.service.name': 'default.app' })).serviceName).to.equal(undefined);
  });
});
