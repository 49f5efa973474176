import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { run } from './support/command.js';
import { eventually } from './support/eventually.js';
import { guideBlocks } from './support/guide.js';
import { ADDRESSES, requireNetworkNamespaces, TwoHosts, type NetworkNamespace } from './support/network-namespaces.js';
import { MESHER_BIN } from './support/sidecar.js';
import type { SpawnedProcess } from './support/spawned-process.js';
import { asApplication, startCollector, startUnawareApp, type ZipkinSpan } from './support/transparent-sidecar.js';

/** What is typed there ends with the shell. */
const OWN_PROCESSES = ['--pid', '--fork', '--mount-proc', '--kill-child'];

describe('the guide to the transparent mode', function () {
  this.timeout(60_000);
  let folder: string;
  let PATH: string;
  let typed: string[];

  before(async function () {
    requireNetworkNamespaces(this, 'iptables-nft', 'curl', 'python3', 'bash');
    folder = await mkdtemp(join(tmpdir(), 'mesher-guide-'));
    await chmod(folder, 0o755);
    const bin = join(folder, 'bin');
    await mkdir(bin);
    await symlink(MESHER_BIN, join(bin, 'mesher'));
    // Root needs no sudo, and where there is none it may be missing.
    if (spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status !== 0) {
      await writeFile(join(bin, 'sudo'), '#!/bin/sh\nexec "$@"\n', { mode: 0o755 });
    }
    PATH = [bin, process.env['PATH'] ?? ''].join(delimiter);
    const blocks = await guideBlocks('transparent');
    typed = blocks.filter(({ language }) => language === 'sh').map(({ code }) => code.trim());
  });

  after(async () => {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  it('can be typed, line by line, in a network of its own', async () => {
    const script = typed.find((block) => block.includes('ip address add')) ?? '';
    const { code, stdout, stderr } = await run(
      'unshare',
      ['--net', ...OWN_PROCESSES, 'bash', '-ec', script],
      { PATH },
      folder,
    );
    expect(code, `${stderr}${stdout}`).to.equal(0);
    const [connections, list, explained] = stdout.split(/^(?=at |listener |10\.9\.9\.9:8090 )/m).slice(-3);
    expect(connections).to.match(/inbound +10\.9\.9\.9 +10\.9\.9\.9:8090 +http1 +10\.9\.9\.9 +passed .* closed$/m);
    expect(list).to.match(/^listener \[::\]:14956, user 1337, group 1337, one of whom rules leave alone/);
    expect(list).to.match(/^inbound +10\.9\.9\.9:8090 .* http1 1 +passed 1 /m);
    expect(explained).to.match(
      /^10\.9\.9\.9:8090 +http1: passed\n[^]*direction +inbound: 10\.9\.9\.9 is an address of this machine\n/,
    );
  });

  it('begins with a line that makes two linked spans and metrics of a call between unaware programs, typed by root as it stands', async () => {
    const [line = ''] = typed;
    expect(line).to.equal('sudo mesher intercept apply && mesher --mode=transparent --service-name shop');
    const hosts = await TwoHosts.create();
    const shells: SpawnedProcess[] = [];
    try {
      await startUnawareApp(hosts.far, 'far');
      const address = `http://${ADDRESSES.far.ipv4}:8080/x?y=1`;
      const curl = (): Promise<string> => asApplication(hosts.near, 'curl', '-sS', '--max-time', '10', address);
      const direct = await curl();
      const spans = await Promise.all([hosts.near, hosts.far].map((host) => startCollector(host)));
      shells.push(...(await Promise.all([type(hosts.near, line), type(hosts.far, line)])));
      const own = (text: string): object => {
        const { name, path, method } = JSON.parse(text) as Record<string, unknown>;
        return { name, path, method };
      };
      expect(own(await curl())).to.deep.equal(own(direct));
      const [[client], [server]] = (await eventually('both spans', () => {
        const both = spans.map((read) => read());
        return both.every((list) => list.length > 0) ? both : undefined;
      })) as [[ZipkinSpan], [ZipkinSpan]];
      expect([client.kind, server.kind]).to.deep.equal(['CLIENT', 'SERVER']);
      expect([server.traceId, server.parentId]).to.deep.equal([client.traceId, client.id]);
      for (const [host, direction] of [
        [hosts.near, 'outbound'],
        [hosts.far, 'inbound'],
      ] as const) {
        const metrics = await host.must('curl', ['-sS', 'http://127.0.0.1:30102/metrics']);
        expect(metrics).to.match(new RegExp(`^mesher_requests_total\\{.*direction="${direction}".*\\} [1-9]`, 'm'));
        const listed = await host.must('curl', ['-sS', 'http://127.0.0.1:30102/v1/mesher/transparent']);
        expect((JSON.parse(listed) as { runsAs: string }).runsAs).to.match(/^user 1337, group 1337, one of/);
      }
    } finally {
      // unshare does not pass on a gentler signal.
      for (const shell of shells) shell.signal('SIGKILL');
      await hosts.close();
    }
  });

  /** Types a line that starts a sidecar. */
  async function type(host: NetworkNamespace, line: string): Promise<SpawnedProcess> {
    const conf = join(folder, `conf-${host.name}`);
    await mkdir(conf);
    const tracing = { 'tracing.tracer': 'zipkin', 'tracing.settings.URI': 'http://127.0.0.1:9411/api/v2/spans' };
    await writeFile(
      join(conf, 'chassis.yaml'),
      JSON.stringify({ ...tracing, 'tracing.settings.batchInterval': '10ms' }),
    );
    const env = { PATH, CHASSIS_CONF_DIR: conf };
    // A shell that has more to do stays: the sidecar in its place would outlive it, since who changes its user is not told of the end of its parent.
    const shell = host.spawn('unshare', [...OWN_PROCESSES, 'bash', '-c', `${line}\n:`], { env });
    await shell.untilPrinted(/"msg":"ready"/);
    return shell;
  }
});
