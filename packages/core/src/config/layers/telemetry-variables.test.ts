import { expect } from 'chai';
import { readTelemetryVariables } from './telemetry-variables.js';
import { loadFiles, NAMED } from '../../testing/load-files.js';

describe("netramesh's variables about metrics and profiles", () => {
  const read = (env: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
    Object.fromEntries(
      readTelemetryVariables(env).map(({ path, leaf }) => [path.join('.'), leaf.kind === 'scalar' ? leaf.text : '']),
    );

  it('open ports: metrics for everybody, profiles for this machine', async () => {
    const { document } = await loadFiles(NAMED, { env: { NETRA_PROMETHEUS_PORT: '14958', NETRA_PPROF_PORT: '14957' } });
    expect(document?.mesher.metrics).to.include({ port: 14_958, host: '::' });
    expect(document?.pprof).to.deep.include({ enable: true, listen: { host: '127.0.0.1', port: 14_957 } });
    const { document: without } = await loadFiles(NAMED);
    expect(without?.mesher.metrics.port).to.equal(undefined);
    expect(without?.pprof.enable).to.equal(false);
  });

  it('switch StatsD on by the word true and nothing else', () => {
    for (const [text, value] of [
      ['true', 'true'],
      ['True', 'false'],
      ['1', 'false'],
      ['false', 'false'],
    ] as const) {
      expect(read({ NETRA_STATSD_ENABLED: text })).to.deep.equal({ 'mesher.statsd.enabled': value });
    }
    expect(read({ NETRA_STATSD_ENABLED: '', NETRA_STATSD_PREFIX: '' })).to.deep.equal({});
  });

  it('name the server as Go does', () => {
    const at = (text: string): string | undefined => read({ NETRA_STATSD_ADDRESS: text })['mesher.statsd.address'];
    expect(['statsd:9125', ':8125', 'statsd', '[::1]', '[::1]:8126'].map(at)).to.deep.equal([
      ...['statsd:9125', '127.0.0.1:8125', 'statsd:8125', '[::1]:8125', '[::1]:8126'],
    ]);
  });

  it('stop the start when they cannot be read, as with netramesh, and are named', async () => {
    for (const [name, text] of [
      ['NETRA_PROMETHEUS_PORT', '70000'],
      ['NETRA_PPROF_PORT', 'http'],
    ] as const) {
      const { document, errors, said } = await loadFiles(NAMED, { env: { [name]: text } });
      expect(document, name).to.equal(undefined);
      expect(said(errors).join(), name).to.contain(text);
    }
  });
});
