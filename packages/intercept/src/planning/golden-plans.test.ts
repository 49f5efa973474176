import { expect } from 'chai';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { ALL_SETTINGS } from '../settings/setting-table.js';
import { flagsOf, optionsOf } from '../testing/options-of.js';
import type { Family } from './plan.js';
import { planInterception } from './planner.js';
import { renderPlan } from './render-plan.js';

/** Beside the source, not the compiled tests. */
const FOLDER = new URL('../../src/planning/golden/', import.meta.url);
/** `MESHER_UPDATE_GOLDEN=1 npm test` writes the files anew; look at what changed before you commit it. */
const IS_UPDATE = process.env['MESHER_UPDATE_GOLDEN'] === '1';
const BOTH: readonly Family[] = ['ipv4', 'ipv6'];

const CASES: Readonly<Record<string, string>> = {
  defaults: '',
  'netramesh-ports': '--inbound-ports 8080,9090 --outbound-ports 80,443',
  probability: '--inbound-probability 0.5 --outbound-probability 0.01',
  'istio-injected':
    '--outbound-port 15001 --inbound-port 15006 --uid 1337 --mode REDIRECT --outbound-cidrs * --inbound-ports * --exclude-inbound-ports 15090,15021,15020 --tunnel-port 15008',
  'many-ports':
    '--exclude-outbound-ports 1-2,4,6,8,10,12,14,16,18,20,22,24,26,28,30,32-40,50 --always-outbound-ports 7000-7100,9000',
  networks:
    '--outbound-cidrs 10.0.0.0/8,fd00::/8 --exclude-outbound-cidrs 10.96.0.1,fd00::1 --inbound-cidrs 192.168.0.0/16 --exclude-inbound-cidrs 192.168.1.77',
  owners: '--uid 1337,2102 --gid 1337 --owner-groups 5000,5001 --exclude-owner-groups 6000 --own-address direct',
  'dns-servers':
    '--redirect-dns --dns-servers 10.96.0.10,fd00::a --inbound-ports 8080 --outbound-ports 80 --exclude-interfaces eth1',
  'dns-all': '--capture-all-dns --drop-invalid --loopback-cidr 127.0.0.1',
  tproxy: '--mode TPROXY --tproxy-mark 1338 --tproxy-table 134 --inbound-probability 0.5',
  'tproxy-kept-source': '--mode TPROXY --keep-source --exclude-interfaces eth1 --drop-invalid',
  'moved-ports': '--port 15000 --own-ports 9464-9466 --redirect-dns --dns-port 5353 --dns-servers 10.96.0.10',
  'tproxy-ports': '--mode TPROXY --inbound-ports 80,8080 --inbound-cidrs 10.0.0.0/8,fd00::/8 --inbound-probability 0.1',
  'outbound-only': '--inbound-probability 0',
  'inbound-only': '--outbound-probability 0 --ipv6 false',
};

/** Settings of the commands, which change no plan. */
const COMMANDS = [
  ...['backend', 'native-nftables', 'force-iptables-binary', 'host-network', 'network-namespace', 'dry-run'],
  ...['run-validation', 'cleanup-only', 'probe-port', 'probe-timeout', 'dual-stack'],
];

describe('the plan', () => {
  if (IS_UPDATE) mkdirSync(FOLDER, { recursive: true });

  for (const [name, line] of Object.entries(CASES)) {
    it(`of ${name} is the one on file`, () => {
      const options = optionsOf(line);
      const plan = planInterception(options, options.ipv6 === false ? ['ipv4'] : BOTH);
      const text = [
        `mesher intercept plan ${line}`.trim(),
        renderPlan(plan, 'table'),
        renderPlan(plan, 'iptables'),
        renderPlan(plan, 'nft'),
      ].join('\n\n');
      const file = new URL(`${name}.txt`, FOLDER);
      if (IS_UPDATE) writeFileSync(file, text);
      expect(text).to.equal(readFileSync(file, 'utf8'));
    });
  }

  it('is on file for every case, and nothing else is', () => {
    expect(readdirSync(FOLDER).toSorted()).to.deep.equal(
      Object.keys(CASES)
        .map((name) => `${name}.txt`)
        .toSorted(),
    );
  });

  it('is on file with every setting that changes it', () => {
    const tried = new Set(Object.values(CASES).flatMap((line) => [...flagsOf(line).keys()]));
    const missing = ALL_SETTINGS.map(({ flag }) => flag).filter((flag) => !tried.has(flag) && !COMMANDS.includes(flag));
    expect(missing).to.deep.equal([]);
  });

  it('is the same as JSON', () => {
    const plan = planInterception(optionsOf(), BOTH);
    expect(JSON.parse(renderPlan(plan, 'json'))).to.deep.equal(JSON.parse(JSON.stringify(plan)));
  });
});
