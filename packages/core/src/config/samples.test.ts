import { expect } from 'chai';
import { readdirSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadConfiguration } from './load.js';
import { formatProblems, type Notice } from './problem.js';

const SAMPLES = fileURLToPath(new URL('../../fixtures/samples', import.meta.url));

const CONFIG_CLIENT_LATER =
  'servicecomb.config.client.{refreshPort,autodiscovery,tenantName,dimension,api,serviceName,env,cluster}';

/** Every notice that each folder gives: file and line, kind, key. */
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  'go-chassis/circuit/client': ['monitoring.yaml:2 not-yet servicecomb.metrics'],
  'go-chassis/discovery/client': [
    'chassis.yaml:9 renamed-key servicecomb.registry.refreshInterval',
    'chassis.yaml:18 not-yet servicecomb.transport',
    'lager.yaml:6 not-yet logging (lager.yaml)',
    'lager.yaml:13 obsolete rollingPolicy',
    'load_balancing.yaml:10 renamed-key cse.loadbalance.SessionStickinessRule.sessionTimeoutInSeconds',
    'load_balancing.yaml:17 renamed-key cse.loadbalance.backoff.minMs',
    'load_balancing.yaml:18 renamed-key cse.loadbalance.backoff.maxMs',
    'monitoring.yaml:2 not-yet servicecomb.metrics',
    'monitoring.yaml:9 obsolete tracing.collectorType',
    'monitoring.yaml:10 renamed-key tracing.settings.URI',
  ],
  'go-chassis/discovery/server': [
    'chassis.yaml:11 renamed-key servicecomb.registry.refreshInterval',
    `chassis.yaml:21 not-yet ${CONFIG_CLIENT_LATER}`,
    'circuit_breaker.yaml:3 renamed-key cse.isolation',
    'circuit_breaker.yaml:14 renamed-key cse.circuitBreaker.Consumer',
    'circuit_breaker.yaml:28 renamed-key cse.fallback',
    'circuit_breaker.yaml:31 obsolete cse.fallback.Consumer.maxConcurrentRequests',
    'circuit_breaker.yaml:32 renamed-key cse.fallbackpolicy',
    'lager.yaml:2 not-yet logging (lager.yaml)',
    'monitoring.yaml:2 not-yet servicecomb.metrics',
    'monitoring.yaml:8 obsolete tracing.collectorType',
    'monitoring.yaml:9 renamed-key tracing.settings.URI',
  ],
  'go-chassis/jwt': [],
  'go-chassis/metadata': ['lager.yaml:2 not-yet logging (lager.yaml)', 'lager.yaml:14 obsolete rollingPolicy'],
  'go-chassis/mutiports/server': [],
  'go-chassis/pilot/client': [
    'chassis.yaml:11 renamed-key servicecomb.transport.failure.rest',
    'circuit_breaker.yaml:3 renamed-key cse.isolation',
    'circuit_breaker.yaml:8 renamed-key cse.circuitBreaker.Consumer',
    'circuit_breaker.yaml:16 renamed-key cse.fallback',
    'circuit_breaker.yaml:19 obsolete cse.fallback.Consumer.maxConcurrentRequests',
    'circuit_breaker.yaml:20 renamed-key cse.fallbackpolicy',
    'lager.yaml:6 not-yet logging (lager.yaml)',
    'lager.yaml:13 obsolete rollingPolicy',
    'load_balancing.yaml:4 renamed-key cse.loadbalance',
    'load_balancing.yaml:10 renamed-key cse.loadbalance.backoff.minMs',
    'load_balancing.yaml:11 renamed-key cse.loadbalance.backoff.maxMs',
    'rate_limiting.yaml:3 renamed-key cse.flowcontrol',
    'router.yaml:4 not-yet servicecomb.router',
  ],
  'go-chassis/ratelimit': [],
  'go-chassis/rest/server': [],
  'mesher/conf': [
    'auth.yaml:3 renamed-key servicecomb.credentials',
    'auth.yaml:7 not-yet servicecomb.credentials.{accessKey,secretKey,akskCustomCipher,cipher}',
    'lager.yaml:2 renamed-key logWriters',
    'lager.yaml:2 not-yet logging (lager.yaml)',
    'mesher.yaml:7 obsolete admin.goRuntimeMetrics',
  ],
  'mesher/cse': [
    'auth.yaml:3 renamed-key servicecomb.credentials',
    'auth.yaml:7 not-yet servicecomb.credentials.{accessKey,secretKey,akskCustomCipher,cipher}',
    'chassis.yaml:7 renamed-key servicecomb.registry',
    'chassis.yaml:18 obsolete servicecomb.monitor',
    'lager.yaml:2 renamed-key logWriters',
    'lager.yaml:2 not-yet logging (lager.yaml)',
    'lager.yaml:4 renamed-key logLevel',
    'lager.yaml:7 renamed-key logFile',
    'lager.yaml:11 renamed-key logFormatText',
    'lager.yaml:14 obsolete rollingPolicy',
    'lager.yaml:17 renamed-key logRotateAge',
    'lager.yaml:20 renamed-key logRotateSize',
    'lager.yaml:23 renamed-key logBackupCount',
  ],
  'mesher/edge': [
    'chassis.yaml:9 renamed-key servicecomb.registry',
    'chassis.yaml:12 renamed-key servicecomb.config',
    'mesher.yaml:7 obsolete admin.goRuntimeMetrics',
  ],
};

function* foldersWithYaml(folder: string): Generator<string> {
  const entries = readdirSync(folder, { withFileTypes: true });
  if (entries.some(({ name }) => name.endsWith('.yaml'))) {
    yield folder;
  }
  for (const entry of entries) {
    if (entry.isDirectory()) {
      yield* foldersWithYaml(join(folder, entry.name));
    }
  }
}

function summarize({ origin, kind, path }: Notice): string {
  return origin.layer === 'file' ? `${basename(origin.file)}:${origin.line} ${kind} ${path}` : `${kind} ${path}`;
}

describe('the configuration files that users have', () => {
  const folders = [...foldersWithYaml(SAMPLES)];

  it('are all covered by this test', () => {
    const names = folders.map((folder) => relative(SAMPLES, folder));
    expect(names).to.have.members(Object.keys(EXPECTED));
  });

  for (const folder of folders) {
    const name = relative(SAMPLES, folder);

    it(`load without an error and with exactly the known notices: ${name}`, async () => {
      const { document, errors, notices } = await loadConfiguration({ confDir: folder, env: {} });
      expect(formatProblems(errors)).to.equal('');
      expect(document?.service.name).to.be.a('string').that.is.not.empty;
      expect(notices.map(summarize)).to.deep.equal(EXPECTED[name]);
    });
  }

  it('give what their authors meant, whichever spelling they used', async () => {
    const load = async (folder: string) =>
      (await loadConfiguration({ confDir: join(SAMPLES, folder), env: {} })).document;

    const edge = await load('mesher/edge');
    expect(edge?.registry.address).to.deep.equal(['http://127.0.0.1:30100']);
    expect(edge?.registry.scope).to.equal('full');
    expect(edge?.service.version).to.equal('1.7.0');
    expect(edge?.chain('Provider', 'incoming')).to.deep.equal(['oauth2', 'tracing-provider']);

    const client = await load('go-chassis/discovery/client');
    expect(client?.registry.refreshInterval).to.equal(30_000);
    expect(client?.registry.watch).to.equal(true);

    const conf = await load('mesher/conf');
    expect(conf?.chain('Consumer', 'outgoing')).to.equal(undefined);
    expect(conf?.protocols.get('rest-admin')?.listenAddress).to.deep.equal({ host: '127.0.0.1', port: 30102 });
    expect(conf?.service.properties.get('allowCrossApp')).to.equal('false');
  });
});
