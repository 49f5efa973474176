import { expect } from 'chai';
import { planInterception } from '../planning/planner.js';
import { optionsOf } from '../testing/options-of.js';
import type { CommandRunner } from './command-runner.js';
import { NftBackend } from './nft-backend.js';

/** What nft 1.0.6 prints for the plan of outbound connections alone. */
const LISTED = `table ip mesher {
	chain MESHER_OUTBOUND {
		meta skuid 1337 return comment "mesher/own-uid"
		meta skgid 1337 return comment "mesher/own-gid"
		ip daddr 127.0.0.0/8 return comment "mesher/loopback"
		oifname "lo" tcp dport { 14956-14958, 30101-30102, 40101 } return comment "mesher/own-port"
		meta l4proto tcp redirect to :14956 comment "mesher/to-sidecar"
	}

	chain MESHER_NAT_OUTPUT {
		type nat hook output priority -100; policy accept;
		meta l4proto tcp jump MESHER_OUTBOUND comment "mesher/outbound"
	}
}
`;
const PLAN = planInterception(optionsOf('--inbound-probability 0'), ['ipv4']);

function backendWith(listed: string): NftBackend {
  const run: CommandRunner = (_, args) => {
    const stdout = args.includes('tables') ? 'table ip other\ntable ip mesher\n' : listed;
    return Promise.resolve({ code: 0, stdout, stderr: '' });
  };
  return new NftBackend(run);
}

describe('rules in nft', () => {
  it('are those of the plan when each chain has its comments in order', async () => {
    expect(await backendWith(LISTED).drift(PLAN)).to.deep.equal({ missing: [], surplus: [] });
  });

  it('are others when what they match or do is, although the comment is ours', async () => {
    const changes = [
      ['redirect to :14956', 'redirect to :9999', 'to-sidecar'],
      ['redirect to :14956', 'accept', 'to-sidecar'],
      ['127.0.0.0/8', '0.0.0.0/1', 'loopback'],
      ['skuid 1337', 'skuid 1000', 'own-uid'],
      ['skuid 1337', 'skuid != 1337', 'own-uid'],
      ['40101 }', '40101, 80 }', 'own-port'],
      ['oifname "lo"', 'oifname "eth0"', 'own-port'],
      ['oifname "lo" ', '', 'own-port'],
      ['ip daddr 127', 'ip saddr 127', 'loopback'],
      ['jump MESHER_OUTBOUND', 'jump OTHER', 'outbound'],
    ] as const;
    for (const [from, to, reason] of changes) {
      const { missing, surplus } = await backendWith(LISTED.replace(from, to)).drift(PLAN);
      expect(
        missing.map((rule) => rule.reason),
        `${from} → ${to}`,
      ).to.deep.equal([reason]);
      expect(surplus).to.have.length(1);
      expect(surplus[0]).to.include(to);
    }
  });

  it('are missing, too many or at another place', async () => {
    const without = await backendWith(LISTED.replace(/.*mesher\/loopback"\n/, '')).drift(PLAN);
    expect(without.missing.map(({ reason }) => reason)).to.deep.equal(['loopback']);
    expect(without.surplus).to.deep.equal([]);
    const more = await backendWith(LISTED.replace(/(.*mesher\/to-sidecar"\n)/, '$1\t\tcounter accept\n')).drift(PLAN);
    expect(more).to.deep.equal({ missing: [], surplus: ['ipv4 MESHER_OUTBOUND counter accept'] });
    const swapped = await backendWith(LISTED.replace(/(.*own-uid"\n)(.*own-gid"\n)/, '$2$1')).drift(PLAN);
    expect(swapped.missing.length).to.be.greaterThan(0);
  });
});
