import { expect } from 'chai';
import { optionsOf } from '../testing/options-of.js';
import type { CommandResult, CommandRunner } from './command-runner.js';
import { familiesFor, Interception, type InterceptionTools } from './interception.js';

const FIRST_NAMESPACE = '/proc/sys/net/core/netdev_max_backlog';
const AUTO = { backend: 'auto', hostNetwork: false } as const;

/** A machine whose programs answer what they are told to; everything that is run is written down. */
class FakeMachine {
  readonly ran: string[] = [];
  readonly tools: InterceptionTools;

  constructor(
    private readonly programs: Readonly<Record<string, string | CommandResult>>,
    files: Readonly<Record<string, string>> = {},
  ) {
    const run: CommandRunner = (program, args) => {
      const command = [program, ...args].join(' ');
      this.ran.push(command);
      const answer = this.programs[command] ?? this.programs[program];
      if (answer === undefined) return Promise.resolve(undefined);
      return Promise.resolve(typeof answer === 'string' ? { code: 0, stdout: answer, stderr: '' } : answer);
    };
    this.tools = { run, readFile: (path) => files[path] };
  }
}

async function failureOf(work: Promise<unknown>): Promise<{ code: string; message: string }> {
  return await work.then(
    () => ({ code: 'none', message: '' }),
    (error: { code: string; message: string }) => error,
  );
}

const IPTABLES = { 'iptables --version': 'iptables v1.8.9 (nf_tables)', 'iptables-save': '', 'ip6tables-save': '' };

describe('interception', () => {
  it('misses the routing of TPROXY when packets with another mark are routed so', async () => {
    const options = optionsOf('--mode TPROXY --ipv6 false');
    const missing = async (mark: string): Promise<readonly string[]> => {
      const machine = new FakeMachine({
        ...IPTABLES,
        'ip -4 route show table all proto 149': 'local default dev lo table 133 scope host\n',
        'ip -4 rule show': `32765:\tfrom all fwmark ${mark} lookup 133 proto 149\n`,
      });
      const { missingRoutes } = await (await Interception.open(options, AUTO, machine.tools)).drift();
      return missingRoutes.map(({ kind }) => kind);
    };
    expect(await missing('0x539')).to.deep.equal([]);
    expect(await missing('0x53a')).to.deep.equal(['rule']);
  });

  it('refuses the network of the whole machine before it runs anything', async () => {
    const machine = new FakeMachine(IPTABLES, { [FIRST_NAMESPACE]: '1000' });
    const { code, message } = await failureOf(Interception.open(optionsOf(), AUTO, machine.tools));
    expect([code, machine.ran]).to.deep.equal(['INTERCEPT_HOST_NETWORK', []]);
    expect(message).to.include('--host-network');
    const insisting = await Interception.open(optionsOf(), { ...AUTO, hostNetwork: true }, machine.tools);
    expect(insisting.backend).to.equal('iptables-nft');
  });

  it('refuses a node with containers, which has the chains of its proxy', async () => {
    const machine = new FakeMachine({ ...IPTABLES, 'iptables-save': '*nat\n:KUBE-SERVICES - [0:0]\nCOMMIT\n' });
    const interception = await Interception.open(optionsOf(), AUTO, machine.tools);
    const { code, message } = await failureOf(interception.apply(AUTO));
    expect(code).to.equal('INTERCEPT_HOST_NETWORK');
    expect(message).to.include('the chain KUBE-SERVICES of iptables-nft');
    expect(machine.ran.filter((command) => command.includes('restore'))).to.deep.equal([]);
  });

  it("takes no container for a node because of the chains of Docker's name server", async () => {
    const machine = new FakeMachine({
      ...IPTABLES,
      'iptables-save': '*nat\n:DOCKER_OUTPUT - [0:0]\nCOMMIT\n',
      'iptables-restore': '',
    });
    const interception = await Interception.open(optionsOf(), AUTO, machine.tools);
    expect(await interception.apply(AUTO)).to.deep.equal({ backend: 'iptables-nft', hasChanged: true });
  });

  it('names what to install when there is no program', async () => {
    const { code, message } = await failureOf(Interception.open(optionsOf(), AUTO, new FakeMachine({}).tools));
    expect([code, message]).to.deep.equal([
      'INTERCEPT_NO_PROGRAM',
      'neither iptables nor nft is installed; install iptables or nftables',
    ]);
    const wanted = { backend: 'nft', hostNetwork: false } as const;
    const other = await failureOf(Interception.open(optionsOf(), wanted, new FakeMachine(IPTABLES).tools));
    expect(other.message).to.equal('nft is not installed; install iptables or nftables');
  });

  const failures: readonly (readonly [stderr: string, code: string])[] = [
    [
      'iptables-restore v1.8.9 (nf_tables): Could not fetch rule set generation id: Permission denied (you must be root)',
      'INTERCEPT_NOT_PERMITTED',
    ],
    ['iptables-restore: line 3 failed: No chain/target/match by that name.', 'INTERCEPT_KERNEL'],
    ["iptables-restore: Couldn't load match `socket':No such file or directory", 'INTERCEPT_KERNEL'],
    ['Another app is currently holding the xtables lock', 'INTERCEPT_COMMAND'],
  ];
  for (const [stderr, expected] of failures) {
    it(`says ${expected} when iptables says ${stderr.slice(0, 60)}`, async () => {
      const machine = new FakeMachine({ ...IPTABLES, 'iptables-restore': { code: 2, stdout: '', stderr } });
      const interception = await Interception.open(optionsOf(), AUTO, machine.tools);
      const { code, message } = await failureOf(interception.apply(AUTO));
      expect(code).to.equal(expected);
      expect(message).to.include(stderr);
    });
  }

  it('has rules for IPv6 where there is an address of it, or when told so', () => {
    const having = (addresses: string | undefined, line = ''): readonly string[] =>
      familiesFor(optionsOf(line), () => addresses);
    expect(having('00000000000000000000000000000001 01 80 10 80       lo\n')).to.deep.equal(['ipv4', 'ipv6']);
    expect([having(''), having(undefined)]).to.deep.equal([['ipv4'], ['ipv4']]);
    expect(having('', '--ipv6 true')).to.deep.equal(['ipv4', 'ipv6']);
    expect(having('x', '--ipv6 false')).to.deep.equal(['ipv4']);
  });

  it('checks all tables before it changes the first', async () => {
    const machine = new FakeMachine({ ...IPTABLES, 'iptables-restore': '' });
    await (await Interception.open(optionsOf(), AUTO, machine.tools)).apply(AUTO);
    expect(machine.ran.filter((command) => command.includes('restore'))).to.deep.equal([
      'iptables-restore --noflush --test --wait=5',
      'iptables-restore --noflush --wait=5',
    ]);
  });

  it('goes where the rules of others are: to the legacy variant when its tables are in use', async () => {
    const programs = {
      ...IPTABLES,
      'iptables-legacy': 'iptables v1.8.9 (legacy)',
      'iptables-legacy-save': '',
      'ip6tables-legacy-save': '',
    };
    const used = new FakeMachine(programs, { '/proc/net/ip_tables_names': 'nat\n' });
    expect((await Interception.open(optionsOf(), AUTO, used.tools)).backend).to.equal('iptables-legacy');
    const unused = new FakeMachine(programs, { '/proc/net/ip_tables_names': '' });
    expect((await Interception.open(optionsOf(), AUTO, unused.tools)).backend).to.equal('iptables-nft');
    expect(unused.ran).to.not.include('iptables-legacy-save');
  });
});
