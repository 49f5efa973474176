import { expect } from 'chai';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { skipBecause } from '@mesher/core/testing';
import { LISTING, loadedModules } from './support/loaded-modules.js';
import { MesherRegistry } from './support/mesher-registry.js';
import { useScene } from './support/scene.js';

/** pino and what it is made of. */
const LOGGING = [
  '@pinojs/redact',
  'atomic-sleep',
  'on-exit-leak-free',
  'pino',
  'pino-std-serializers',
  'quick-format-unescaped',
  'safe-stable-stringify',
  'sonic-boom',
  'thread-stream',
];
/** Command line, configuration, composition. */
const ALWAYS = [
  ...LOGGING,
  'commander',
  'convict',
  'lodash.clonedeep',
  'reflect-metadata',
  'tslib',
  'tsyringe',
  'yaml',
  'yargs-parser',
].sort();
/** What the first scrape, an open breaker, an expression, a watch by WebSocket, another registry or an exporter loads. */
const LATER = [
  'prom-client',
  'opossum',
  're2js',
  'ws',
  'koffi',
  'consul',
  'hot-shots',
  'pprof-format',
  '@redis/client',
  '@opentelemetry/api',
  '@grpc/grpc-js',
];
/** What makes profiles, sends to StatsD, or exports spans; names and settings of it are always loaded. */
const TELEMETRY = /^(profiling|statsd|tracing-otel)\/dist\/(?!(index|[\w-]+-schema|exporters|jaeger\/jaeger-uri)\.js$)/;
/** The same, and what one mode alone has. */
const OPTIONAL = new RegExp(`${TELEMETRY.source}|^mesher/dist/transparent/(open-|passage|http-settings\\.|watching/)`);
/** The bar is 70 MB; this is what no change of a machine or of Node.js explains. */
const IDLE_MB = 100;
const KB_PER_MB = 1_000_000 / 1024;

describe('A sidecar that is ready should have loaded', () => {
  const scene = useScene();

  it('command line, YAML, logging and the container, and nothing that a scrape, another registry or an exporter needs', async () => {
    const { process } = await scene().sidecar({ service: 'hello', host: 'none', env: LISTING });
    const { libraries, own } = await loadedModules(process);
    expect(libraries).to.deep.equal(ALWAYS);
    expect(own).to.include('mesher/dist/sidecar/sidecar.js');
    expect(own.filter((path) => OPTIONAL.test(path))).to.deep.equal([]);
    expect(own.filter((path) => /\.test\.js$|\/testing\//.test(path))).to.deep.equal([]);
  });

  it('koffi besides, and no planner of rules, in transparent mode', async function () {
    if (process.platform !== 'linux') skipBecause(this, 'connections are intercepted on Linux only');
    const port = await scene().ports.take();
    const { process: child } = await scene().sidecar({
      service: 'hello',
      host: 'none',
      args: ['--mode=transparent'],
      mesher: { 'transparent.port': port },
      env: LISTING,
    });
    const { libraries, own } = await loadedModules(child);
    const bindings = libraries.filter((name) => name.startsWith('@koromix/koffi-'));
    expect(libraries).to.deep.equal([...ALWAYS, 'koffi', ...bindings].sort());
    expect(own.filter((path) => path.startsWith('intercept/dist/planning/'))).to.deep.equal([]);
    expect(own).to.include('mesher/dist/transparent/open-transparent.js');
    expect(own.filter((path) => TELEMETRY.test(path))).to.deep.equal([]);
  });

  it('axios for a service-center, and nothing that is needed later if at all', async () => {
    const registry = await MesherRegistry.start(scene());
    const { process } = await scene().sidecar({
      service: 'hello',
      host: 'none',
      chassis: { 'servicecomb.registry.type': 'servicecenter', 'servicecomb.registry.address': registry.url },
      env: LISTING,
    });
    const { libraries } = await loadedModules(process);
    expect(libraries).to.include.members([...ALWAYS, 'axios']);
    expect(libraries.filter((name) => LATER.includes(name))).to.deep.equal([]);
  });

  it('so little that it is far below what it took once', async function () {
    if (!existsSync('/proc/self/status')) skipBecause(this, 'the memory of a process is read from /proc');
    const { process: child } = await scene().sidecar({ service: 'hello', host: 'none' });
    const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
    const megabytes = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / KB_PER_MB;
    console.log(`    (${megabytes.toFixed(0)} MB resident when ready)`);
    expect(megabytes).to.be.within(10, IDLE_MB);
  });
});
