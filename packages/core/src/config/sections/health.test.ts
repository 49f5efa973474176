import { expect } from 'chai';
import { loadFiles, NAMED } from '../../testing/load-files.js';
import { healthCheckTimes, type LocalHealthCheckConfig } from './health.js';

const YAML = 'localHealthCheck:\n- port: 8080\n  uri: /health\n  interval: 10s\n  match: {status: 200, body: ok}\n';

async function mistakesOf(yaml: string): Promise<readonly string[]> {
  const { errors, said } = await loadFiles({ ...NAMED, 'mesher.yaml': yaml });
  return said(errors);
}

async function onlyCheckOf(yaml: string): Promise<LocalHealthCheckConfig> {
  const { document } = await loadFiles({ ...NAMED, 'mesher.yaml': yaml });
  return document?.localHealthCheck[0] as LocalHealthCheckConfig;
}

describe('local health checks in the configuration', () => {
  it('are read as the original mesher documents them, without a notice', async () => {
    const { document, notices } = await loadFiles({ ...NAMED, 'mesher.yaml': YAML });
    expect(notices).to.deep.equal([]);
    expect(document?.localHealthCheck).to.deep.equal([
      {
        port: 8080,
        protocol: undefined,
        uri: '/health',
        interval: 10_000,
        jitter: 0.1,
        timeout: undefined,
        unhealthyThreshold: 2,
        healthyThreshold: 1,
        confirmInterval: undefined,
        match: { status: 200, body: 'ok', maxBody: 65_536 },
      },
    ]);
  });

  it('are refused when the path, the expression or the times make no sense', async () => {
    expect(await mistakesOf(YAML.replace('/health', 'health'))).to.deep.equal([
      "mesher.yaml:3:8  localHealthCheck[0].uri  expects a path that starts with '/', found 'health'",
    ]);
    expect((await mistakesOf(YAML.replace('body: ok', 'body: "(?=ok)"')))[0]).to.include(
      'localHealthCheck[0].match.body',
    );
    expect(await mistakesOf(`${YAML}  timeout: 11s\n`)).to.deep.equal([
      'mesher.yaml:2:3  localHealthCheck[0]  timeout must not be above interval',
    ]);
  });

  it('time out after a quarter of the interval, so that two in a row fit into it, and after 5 s at the latest', async () => {
    expect(healthCheckTimes(await onlyCheckOf(YAML))).to.deep.equal({ timeoutMs: 2500, confirmMs: 2500 });
    expect(healthCheckTimes(await onlyCheckOf('localHealthCheck: [{port: 1}]'))).to.deep.equal({
      timeoutMs: 5000,
      confirmMs: 7500,
    });
    const own = await onlyCheckOf(`${YAML}  timeout: 300ms\n  confirmInterval: 1h\n`);
    expect(healthCheckTimes(own)).to.deep.equal({ timeoutMs: 300, confirmMs: 10_000 });
  });
});
