import { expect } from 'chai';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { intercept, routingOf, rulesOf, startAnswering } from './support/intercepted-calls.js';
import { NetworkNamespace, requireNetworkNamespaces, TwoHosts } from './support/network-namespaces.js';

/** Options that make as many kinds of rules as possible. */
const MUCH = [
  ['--mode', 'TPROXY', '--keep-source', '--redirect-dns', '--dns-servers', '10.0.0.53,fd00::53', '--drop-invalid'],
  ['--exclude-outbound-ports', '22,5432,9000-9100', '--exclude-outbound-cidrs', '10.0.0.0/8,fd00::/8'],
  ['--outbound-probability', '0.25', '--inbound-probability', '0.5', '--exclude-interfaces', 'eth7'],
  ['--exclude-inbound-cidrs', '10.1.1.1,fd00::1', '--exclude-owner-groups', '7', '--own-address', 'direct'],
].flat();

for (const backend of ['iptables-nft', 'iptables-legacy', 'nft'] as const) {
  describe(`the rules of mesher intercept with ${backend}`, () => {
    let namespace: NetworkNamespace;
    /** Rules and routing as others have made them. */
    let foreign: string;

    before(async function () {
      requireNetworkNamespaces(this, backend);
    });

    beforeEach(async () => {
      namespace = await NetworkNamespace.create('pod');
      await makeForeignRules(namespace, backend);
      foreign = await everything();
    });

    afterEach(async () => {
      await namespace?.close();
    });

    async function everything(): Promise<string> {
      return `${await rulesOf(namespace, backend)}${await routingOf(namespace)}`;
    }

    async function run(...args: readonly string[]): Promise<string> {
      const { code, stdout, stderr } = await intercept(namespace, [...args, '--backend', backend]);
      expect([code, stderr]).to.deep.equal([0, '']);
      return stdout;
    }

    it('are applied once, though asked for twice, and cleanup leaves exactly what was there before', async () => {
      expect(await run('apply', ...MUCH)).to.match(/^mesher intercept: \d+ rules for IPv4 and IPv6 in /);
      const applied = await everything();
      expect(applied).to.include('mesher/to-sidecar').and.include('mesher/sidecar-asks').and.include('proto 149');
      expect(await run('apply', ...MUCH)).to.include('nothing to change');
      expect(await everything()).to.equal(applied);
      expect(await run('cleanup', '--dry-run')).to.match(/^-X MESHER_OUTBOUND$|^delete table ip mesher$/m);
      expect(await everything()).to.equal(applied);
      expect(await run('cleanup')).to.include(`removed from ${backend}, routes`);
      expect(await everything()).to.equal(foreign);
      expect(await run('cleanup')).to.include('nothing to remove');
    });

    it('are put right when somebody has changed them, and replaced by those of other options', async () => {
      await run('apply');
      const applied = await everything();
      await breakRules(namespace, backend);
      expect(await everything()).to.not.equal(applied);
      expect(await run('apply')).to.not.include('nothing to change');
      expect(await everything()).to.equal(applied);
      await run('apply', ...MUCH);
      await run('apply');
      expect(await everything()).to.equal(applied);
    });

    it('are looked for by verify, which exits 126 and names what is missing', async () => {
      const missing = await intercept(namespace, ['verify', '--backend', backend]);
      expect(missing.code).to.equal(126);
      expect(missing.stderr).to.match(
        /missing: ipv4 nat OUTPUT: -p tcp MESHER_OUTBOUND|missing: ipv4 nat OUTPUT: -p tcp -j MESHER/,
      );
      await run('apply');
      await breakRules(namespace, backend);
      const { code, stderr } = await intercept(namespace, ['verify', '--backend', backend]);
      expect(code).to.equal(126);
      expect(stderr).to.match(
        /^broken: missing: ipv4 nat MESHER_OUTBOUND: -d 127\.0\.0\.0\/8 -j RETURN \(loopback\)$/m,
      );
    });
  });
}

describe('mesher intercept', () => {
  let hosts: TwoHosts;
  let folder: string;

  before(async function () {
    requireNetworkNamespaces(this, 'iptables-nft', 'nft');
    folder = await mkdtemp(join(tmpdir(), 'mesher-intercept-'));
  });

  beforeEach(async () => {
    hosts = await TwoHosts.create();
  });

  afterEach(async () => {
    await hosts?.close();
  });

  after(async () => {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  it('verifies by connecting, both ways and with both families, with the sidecar and without', async () => {
    const options = ['--inbound-probability', '0.3', '--probe-timeout', '2s'];
    const applied = await intercept(hosts.near, ['apply', ...options, '--run-validation']);
    expect([applied.code, applied.stderr]).to.deep.equal([0, '']);
    expect(applied.stdout.match(/^holds: .* comes to the listener in its place$/gm)).to.have.length(4);
    await startAnswering(hosts.near, { sidecar: { mode: 'redirect' } });
    const verified = await intercept(hosts.near, ['verify', ...options]);
    expect([verified.code, verified.stderr]).to.deep.equal([0, '']);
    expect(verified.stdout.match(/^holds: .* comes to the sidecar$/gm)).to.have.length(4);
    expect(await hosts.near.must('ip', ['link'])).to.not.include('mesherprobe');
  });

  it('finds out that connections do not come although the rules are there', async () => {
    await intercept(hosts.near, ['apply']);
    const drop =
      'add table ip foe; add chain ip foe in { type filter hook input priority 0; }; add rule ip foe in tcp dport 14956 drop';
    await hosts.near.must('nft', [drop]);
    const { code, stdout, stderr } = await intercept(hosts.near, ['verify', '--probe-timeout', '500ms']);
    expect(code).to.equal(126);
    expect(stdout).to.include('holds: the rules are those of the plan');
    expect(stderr).to.match(
      /^broken: outbound ipv4 to 192\.0\.2\.1 port 15002 does not come to the sidecar: nobody answers$/m,
    );
  });

  it('works in a namespace that it is told', async () => {
    const { code, stdout } = await intercept(hosts.far, ['apply', '--network-namespace', hosts.near.path]);
    expect([code, stdout]).to.deep.equal([0, 'mesher intercept: 18 rules for IPv4 and IPv6 in iptables-nft\n']);
    expect(await rulesOf(hosts.near, 'iptables-nft')).to.include('mesher/to-sidecar');
    expect(await rulesOf(hosts.far, 'iptables-nft')).to.not.include('mesher/');
  });

  it('moves its rules when another program is told to hold them', async () => {
    await intercept(hosts.near, ['apply', '--backend', 'nft']);
    expect((await intercept(hosts.near, ['apply'])).stdout)
      .to.include('nothing to change')
      .and.include('in nft');
    await intercept(hosts.near, ['apply', '--backend', 'iptables-nft']);
    expect(await rulesOf(hosts.near, 'nft')).to.not.include('table ip mesher');
    expect(await rulesOf(hosts.near, 'iptables-nft')).to.include('mesher/to-sidecar');
  });

  it('takes back what it has done when a later command fails', async () => {
    const before = `${await rulesOf(hosts.near, 'nft')}${await routingOf(hosts.near)}`;
    const program = join(folder, 'ip6tables-nft-restore');
    await writeFile(program, '#!/bin/sh\necho "ip6tables: out of luck" >&2\nexit 4\n');
    await chmod(program, 0o755);
    const env = { PATH: `${folder}:${process.env['PATH'] ?? ''}` };
    const args = ['apply', '--mode', 'TPROXY', '--backend', 'iptables-nft'];
    const { code, stderr } = await intercept(hosts.near, args, { env });
    expect(code).to.equal(1);
    expect(stderr).to.match(/ip6tables-nft-restore .* failed: ip6tables: out of luck\nINTERCEPT_COMMAND: /);
    const after = `${await rulesOf(hosts.near, 'iptables-nft')}${await routingOf(hosts.near)}`;
    expect(after).to.not.include('MESHER').and.not.include('proto 149');
    expect(before).to.not.include('MESHER');
  });

  it('is made whole again, or removed, after a process that was killed between the families', async () => {
    const program = join(folder, 'ip6tables-nft-restore');
    await writeFile(program, '#!/bin/sh\nkill -9 $PPID\n');
    await chmod(program, 0o755);
    const env = { PATH: `${folder}:${process.env['PATH'] ?? ''}` };
    const args = ['apply', '--mode', 'TPROXY', '--backend', 'iptables-nft'];
    const whole = async (): Promise<string> => {
      // The rest of the routes changes by itself: addresses of IPv6 are checked for a second before they are used.
      const own = (await routingOf(hosts.near)).split('\n').filter((line) => line.includes('proto 149'));
      return [await rulesOf(hosts.near, 'iptables-nft'), ...own].join('\n');
    };
    await intercept(hosts.near, args);
    const applied = await whole();
    for (const next of ['apply', 'cleanup']) {
      await intercept(hosts.near, ['cleanup']);
      expect((await intercept(hosts.near, args, { env })).code).to.not.equal(0);
      expect(await whole())
        .to.include('MESHER_TPROXY')
        .and.not.equal(applied);
      expect((await intercept(hosts.near, [next, ...args.slice(1)])).code).to.equal(0);
      if (next === 'apply') expect(await whole()).to.equal(applied);
      else expect(await whole()).to.not.match(/MESHER|mesher|proto 149/);
    }
  });

  for (const backend of ['iptables-nft', 'nft']) {
    it(`makes every rule once when it is started several times at once, with ${backend}`, async () => {
      const args = ['apply', '--backend', backend, '--inbound-probability', '0.5'];
      await intercept(hosts.far, args);
      const results = await Promise.all([1, 2, 3].map(() => intercept(hosts.near, args)));
      expect(results.map(({ code, stderr }) => `${code}${stderr}`)).to.deep.equal(['0', '0', '0']);
      expect(results.filter(({ stdout }) => stdout.includes('nothing to change'))).to.have.length(2);
      expect(await rulesOf(hosts.near, backend)).to.equal(await rulesOf(hosts.far, backend));
    });
  }

  it('finds out that a rule of nft does something else under its comment', async () => {
    await intercept(hosts.near, ['apply', '--backend', 'nft']);
    const listed = await hosts.near.must('nft', ['-a', 'list', 'chain', 'ip', 'mesher', 'MESHER_OUTBOUND']);
    const handle = /mesher\/to-sidecar" # handle (\d+)/.exec(listed)?.[1] ?? '';
    const rule = `replace rule ip mesher MESHER_OUTBOUND handle ${handle} accept comment "mesher/to-sidecar"`;
    await hosts.near.must('nft', [rule]);
    const { code, stderr } = await intercept(hosts.near, ['verify', '--probe-timeout', '300ms']);
    expect(code).to.equal(126);
    expect(stderr).to.match(/^broken: missing: ipv4 nat MESHER_OUTBOUND: .*\(to-sidecar\)$/m);
    expect(stderr).to.match(/^broken: not of the plan: ipv4 MESHER_OUTBOUND accept comment "mesher\/to-sidecar"$/m);
  });

  it('says that it needs root to apply', async () => {
    const { code, stderr } = await hosts.near.run('setpriv', [
      ...['--bounding-set=-net_admin,-net_raw', '--inh-caps=-net_admin,-net_raw', process.execPath],
      ...[new URL('../../packages/mesher/bin/mesher.js', import.meta.url).pathname, 'intercept', 'apply'],
    ]);
    expect(code).to.equal(1);
    expect(stderr).to.match(/INTERCEPT_NOT_PERMITTED: Run as root, or give the capabilities NET_ADMIN and NET_RAW/);
  });
});

/** Rules and routes of somebody else, which must stay as they are. */
async function makeForeignRules(namespace: NetworkNamespace, backend: string): Promise<void> {
  await namespace.must('ip', ['rule', 'add', 'fwmark', '7', 'lookup', '77']);
  await namespace.must('ip', ['route', 'add', 'local', '0.0.0.0/0', 'dev', 'lo', 'table', '77']);
  if (backend === 'nft') {
    const text =
      'add table ip other; add chain ip other c { type nat hook output priority 0; }; add rule ip other c return';
    await namespace.must('nft', [text]);
    return;
  }
  for (const program of [backend, backend.replace('ip', 'ip6')]) {
    const rules = [
      'nat -N OTHER',
      'nat -A OTHER -p tcp -m tcp --dport 77 -j RETURN',
      'nat -A OUTPUT -p tcp -j OTHER',
      'nat -A PREROUTING -p tcp -m comment --comment kept -j ACCEPT',
      'mangle -A OUTPUT -p udp -j ACCEPT',
      'raw -A PREROUTING -p udp -j ACCEPT',
    ];
    for (const rule of rules) await namespace.must(program, ['-t', ...rule.split(' ')]);
  }
}

/** Takes away the rule that leaves loopback alone. */
async function breakRules(namespace: NetworkNamespace, backend: string): Promise<void> {
  if (backend !== 'nft') {
    await namespace.must(backend, ['-t', 'nat', '-D', 'MESHER_OUTBOUND', '3']);
    return;
  }
  const listed = await namespace.must('nft', ['-a', 'list', 'chain', 'ip', 'mesher', 'MESHER_OUTBOUND']);
  const handle = /mesher\/loopback" # handle (\d+)/.exec(listed)?.[1] ?? '';
  await namespace.must('nft', ['delete', 'rule', 'ip', 'mesher', 'MESHER_OUTBOUND', 'handle', handle]);
}
