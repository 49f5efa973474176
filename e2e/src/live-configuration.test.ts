import { expect } from 'chai';
import { mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from './support/eventually.js';
import { SteadyCalls } from './support/load.js';
import { useScene } from './support/scene.js';
import type { Sidecar } from './support/sidecar.js';

/** Changes of rules under load. 1,000 of them take about a minute: `MESHER_E2E_RULE_CHANGES=1000`. */
const RULE_CHANGES = Number(process.env['MESHER_E2E_RULE_CHANGES'] ?? '60');
/** Milliseconds that one change may take at most before the mocha limit ends the test; far more than it does. */
const LIMIT_PER_CHANGE_MS = 1_000;

/** The part of `GET /config` that these tests look at. */
interface ConfigAnswer {
  readonly hash: string;
  readonly generation: number;
  readonly rejected: { readonly problems: readonly string[] } | null;
  readonly needsRestart: readonly { readonly key: string; readonly running: string; readonly found: string }[];
  readonly keys: Readonly<Record<string, { readonly value: string; readonly from: string }>>;
}

async function config(sidecar: Sidecar): Promise<ConfigAnswer> {
  return JSON.parse((await sidecar.admin('/config')).body) as ConfigAnswer;
}

/** Replaces a file as editors and tools do: written beside, renamed over. */
async function replace(sidecar: Sidecar, name: string, text: string): Promise<void> {
  const path = join(sidecar.confDir, name);
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}

describe('a configuration that changes while the sidecar runs', () => {
  const scene = useScene();

  it(`drops no request while its rules change ${RULE_CHANGES} times under load`, async function () {
    this.timeout(20_000 + RULE_CHANGES * LIMIT_PER_CHANGE_MS);
    await scene().service('world');
    await scene().service('world');
    const hello = await scene().sidecar({
      service: 'hello',
      host: 'none',
      mesher: { 'mesher.reload.debounce': '5ms' },
    });
    const load = new SteadyCalls('http://world/', hello.outbound);
    const startedAt = performance.now();
    for (let change = 1; change <= RULE_CHANGES; change++) {
      const timeout = 20_000 + change;
      await replace(hello, 'router.yaml', routeRule(change));
      await replace(hello, 'load_balancing.yaml', balancing(change));
      await replace(hello, 'rate_limiting.yaml', `cse.flowcontrol.Consumer.qps.limit.world: ${1_000_000 + change}\n`);
      await replace(hello, 'circuit_breaker.yaml', `cse.isolation.Consumer.timeoutInMilliseconds: ${timeout}\n`);
      await eventually(`change ${change} is in effect`, async () => {
        const { keys } = await config(hello);
        return keys['cse.isolation.Consumer.timeoutInMilliseconds']?.value === String(timeout);
      });
    }
    const seconds = (performance.now() - startedAt) / 1000;
    await load.stop();
    console.log(`      ${RULE_CHANGES} changes in ${seconds.toFixed(1)} s, ${load.names.length} calls meanwhile`);
    expect(load.failures).to.deep.equal([]);
    expect(load.names.length).to.be.greaterThan(RULE_CHANGES);
    expect((await config(hello)).generation).to.be.greaterThan(RULE_CHANGES);
    expect(await hello.metric('mesher_config_reloads_total', { result: 'rejected' })).to.equal(0);
  });

  it('keeps the last good one when a file is wrong, says so everywhere, and goes on when it is mended', async () => {
    await scene().service('world');
    const hello = await scene().sidecar({ service: 'hello', host: 'none' });
    await replace(hello, 'mesher.yaml', 'mesher:\n  serverTiming: maybe\n');
    const refused = await eventually('the mistake is shown', async () => (await config(hello)).rejected ?? undefined);
    expect(refused.problems).to.have.lengthOf(1);
    expect(refused.problems[0]).to.match(/mesher\.yaml:2:17 {2}mesher\.serverTiming {2}expects true or false/);
    await hello.process.untilPrinted(/a changed configuration has 1 mistake and is not used/);
    expect(await hello.metric('mesher_config_last_reload_success')).to.equal(0);
    expect(await hello.metric('mesher_events_total', { kind: 'configuration-rejected' })).to.equal(1);
    expect((await hello.call('http://world/')).status).to.equal(200);

    await replace(hello, 'mesher.yaml', 'mesher:\n  serverTiming: true\n');
    await eventually('answers follow the mended file', async () => {
      const { headers } = await hello.call('http://world/');
      return headers['server-timing'] !== undefined;
    });
    expect((await config(hello)).rejected).to.equal(null);
    expect(await hello.metric('mesher_config_last_reload_success')).to.equal(1);
  });

  it('says what needs a restart, takes over the rest, and has all of it after the restart', async () => {
    const hello = await scene().sidecar({ service: 'hello', host: 'none' });
    await replace(hello, 'microservice.yaml', 'servicecomb.service: { name: hello, version: 9.9.9 }\n');
    await replace(hello, 'lager.yaml', 'logLevel: DEBUG\n');
    const [need] = await eventually('the need is shown', async () => {
      const { needsRestart, keys } = await config(hello);
      return needsRestart.length > 0 && keys['logLevel']?.value === 'DEBUG' ? needsRestart : undefined;
    });
    expect(need).to.include({ key: 'servicecomb.service.version', running: '0.0.1', found: '9.9.9' });
    await hello.process.kill();
    await hello.start();
    const restarted = await config(hello);
    expect(restarted.keys['servicecomb.service.version']?.value).to.equal('9.9.9');
    expect(restarted.needsRestart).to.deep.equal([]);
  });

  it('is read at once on SIGHUP, also when watching is switched off', async () => {
    const hello = await scene().sidecar({ service: 'hello', host: 'none', mesher: { 'mesher.reload.enabled': false } });
    await replace(hello, 'lager.yaml', 'logLevel: WARN\n');
    hello.process.signal('SIGHUP');
    await eventually('the file is in effect', async () => (await config(hello)).keys['logLevel']?.value === 'WARN');
  });

  it('chooses the log level while running', async () => {
    const hello = await scene().sidecar({ service: 'hello', host: 'none' });
    const levelIs = (level: string) => async (): Promise<boolean> =>
      (await config(hello)).keys['logLevel']?.value === level;
    await replace(hello, 'lager.yaml', 'logLevel: WARN\n');
    await eventually('only warnings are written', levelIs('WARN'));
    expect(hello.process.output).not.to.include('is in effect');
    await replace(hello, 'lager.yaml', 'logLevel: INFO\n');
    await hello.process.untilPrinted(/"generation":3.*is in effect/);
  });

  it('may be a mounted ConfigMap, whose files change in one step', async () => {
    const hello = await scene().sidecar({ service: 'hello', host: 'none' });
    const { confDir } = hello;
    await hello.process.kill();
    await mountAsConfigMap(confDir, '..1');
    await hello.start();
    await mkdir(join(confDir, '..2'));
    for (const name of ['chassis.yaml', 'microservice.yaml']) {
      await writeFile(join(confDir, '..2', name), await readFile(join(confDir, '..1', name)));
    }
    await writeFile(join(confDir, '..2/mesher.yaml'), 'mesher.serverTiming: true\n');
    await symlink('..2', join(confDir, '..data_tmp'));
    await rename(join(confDir, '..data_tmp'), join(confDir, '..data'));
    await rm(join(confDir, '..1'), { recursive: true });
    await eventually('the swap is in effect', async () => {
      const { keys } = await config(hello);
      return keys['mesher.serverTiming']?.value === 'true';
    });
  });

  it('cannot be written over the admin port, which has no login', async () => {
    const hello = await scene().sidecar({ service: 'hello', host: 'none' });
    const before = (await config(hello)).hash;
    for (const [method, path, status] of [
      ['PUT', '/v1/mesher/config', 404],
      ['POST', '/v1/mesher/config', 404],
      ['PUT', '/config', 405],
      ['POST', '/config', 405],
    ] as const) {
      const answer = await hello.admin(path, { method, body: '{"mesher.serverTiming":"true"}' });
      expect(answer.status, `${method} ${path}`).to.equal(status);
    }
    expect((await config(hello)).hash).to.equal(before);
  });
});

/** Rules that differ in everything but what they lead to. */
function routeRule(change: number): string {
  return `servicecomb:
  routeRule:
    world: |
      - precedence: ${change}
        route:
          - weight: 100
            tags:
              version: 0.0.1
`;
}

/** Strategies in turn, the session of each client kept by a cookie among them. */
function balancing(change: number): string {
  const strategies = ['RoundRobin', 'Random', 'WeightedResponse', 'SessionStickiness'];
  return `cse.loadbalance.strategy.name: ${strategies[change % strategies.length] ?? ''}\n`;
}

/** Turns a folder of files into what Kubernetes mounts: links to `..data`, which is a link to the folder with the files. */
async function mountAsConfigMap(confDir: string, version: string): Promise<void> {
  await mkdir(join(confDir, version));
  for (const name of ['chassis.yaml', 'microservice.yaml', 'mesher.yaml']) {
    await rename(join(confDir, name), join(confDir, version, name));
    await symlink(`..data/${name}`, join(confDir, name));
  }
  await symlink(version, join(confDir, '..data'));
}
