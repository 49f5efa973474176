import { expect } from 'chai';
import { InterceptError } from '../intercept-error.js';
import { flagsOf, optionsOf } from '../testing/options-of.js';
import { readSettings } from './read-settings.js';

function read(line: string, env: Readonly<Record<string, string>> = {}, resolv = ''): ReturnType<typeof readSettings> {
  return readSettings({ flags: flagsOf(line), env, resolvConf: () => resolv });
}

/** The lines of the refusal. */
function problemsOf(line: string, env: Readonly<Record<string, string>> = {}): string[] {
  try {
    read(line, env);
  } catch (error) {
    expect(error).to.be.instanceOf(InterceptError).and.have.property('code', 'INTERCEPT_SETTING');
    return (error as InterceptError).message.split('\n');
  }
  return [];
}

describe('the settings of interception', () => {
  it('take the names of netramesh, which mean what they mean there', () => {
    const options = optionsOf('', {
      NETRA_SIDECAR_PORT: '15000',
      NETRA_SIDECAR_USER_ID: '1000',
      NETRA_SIDECAR_GROUP_ID: '1001',
      INBOUND_INTERCEPT_PORTS: '8080,9090',
      OUTBOUND_INTERCEPT_PORTS: '*',
      NETRA_INBOUND_PROBABILITY: '0.5',
      NETRA_OUTBOUND_PROBABILITY: '.25',
    });
    expect(options).to.deep.include({
      inboundPort: 15000,
      outboundPort: 15000,
      exempt: { uids: [1000], gids: [1001] },
    });
    expect(options.inbound).to.deep.include({
      ports: [
        { first: 8080, last: 8080 },
        { first: 9090, last: 9090 },
      ],
      probability: 0.5,
    });
    expect(options.outbound).to.deep.include({ ports: '*', probability: 0.25 });
  });

  it('take the variables of Istio', () => {
    const options = optionsOf('', {
      INBOUND_CAPTURE_PORT: '15006',
      PROXY_UID: '1337,2102',
      ISTIO_INBOUND_INTERCEPTION_MODE: 'TPROXY',
      ISTIO_INBOUND_TPROXY_MARK: '0x539',
      ISTIO_SERVICE_CIDR: '10.0.0.0/8',
      ISTIO_SERVICE_EXCLUDE_CIDR: '10.96.0.1/32',
      ISTIO_LOCAL_EXCLUDE_PORTS: '15090,15021',
      ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE: '7',
      INVALID_DROP: 'true',
      ISTIO_DUAL_STACK: 'true',
    });
    expect(options).to.deep.include({
      inboundPort: 15006,
      outboundPort: 14956,
      exempt: { uids: [1337, 2102], gids: [1337, 2102] },
      mode: 'tproxy',
      tproxy: { mark: 1337, table: 133 },
      dropInvalid: true,
      ipv6: true,
    });
    expect(options.outbound.excludeOwnerGroups).to.deep.equal([7]);
  });

  it('count a flag before a variable, and refuse two variables that disagree', () => {
    expect(optionsOf('--port 5000', { NETRA_SIDECAR_PORT: '6000' }).inboundPort).to.equal(5000);
    expect(problemsOf('', { NETRA_SIDECAR_USER_ID: '1', PROXY_UID: '2' })).to.deep.equal([
      'NETRA_SIDECAR_USER_ID=1 and PROXY_UID=2 are one setting; unset one of them',
    ]);
    expect(problemsOf('', { NETRA_SIDECAR_USER_ID: '1', PROXY_UID: '1' })).to.deep.equal([]);
  });

  const wrong: readonly (readonly [line: string, problem: RegExp])[] = [
    ['--port 0', /^--port: '0' is no port; write a number from 1 to 65535$/],
    ['--inbound-ports 80,http', /^--inbound-ports: 'http' is no port; write numbers or ranges, such as 80,8000-8010$/],
    ['--inbound-ports 90-80', /'90-80' runs backwards; write 80-90$/],
    ['--inbound-ports *,80', /mixes \* with ports; write \* alone/],
    ['--exclude-outbound-ports *', /'\*' is no port/],
    ['--outbound-cidrs 10.0.0.0/33', /'10\.0\.0\.0\/33' has more than the 32 bits of its family$/],
    [
      '--outbound-cidrs example.com',
      /'example\.com' is no network; write addresses with a length, such as 10\.0\.0\.0\/8/,
    ],
    ['--uid mesher', /^--uid: 'mesher' is no numeric id; the command id prints that of a name$/],
    ['--inbound-probability 50', /'50' is no share; write a number from 0 to 1, such as 0\.5$/],
    ['--mode NONE', /NONE intercepts nothing; leave the command out/],
    ['--mode bridge', /'bridge' is none of redirect, tproxy$/],
    ['--keep-source', /^--keep-source works with --mode TPROXY only$/],
    ['--redirect-dns', /resolv\.conf names no server; name them with --dns-servers$/],
    ['--exclude-interfaces eth0,a/b', /'a\/b' is no name of an interface/],
    ['--tproxy-table 254', /'254' is no routing table; write a number such as 133, but not 253 to 255$/],
    ['--tproxy-mark 0', /'0' is no mark/],
    ['--loopback-cidr ::1', /'::1' is not of IPv4/],
    ['--drop-invalid maybe', /'maybe' is neither true nor false$/],
    ['--backend ipfw', /'ipfw' is none of auto, iptables, iptables-nft, iptables-legacy, nft$/],
    ['--probe-timeout soon', /'soon' is no duration; write 5s or 500ms$/],
    ['--kube-virt-interfaces vnet0', /^--kube-virt-interfaces: connections of virtual machines are not intercepted/],
  ];
  for (const [line, problem] of wrong) {
    it(`refuse ${line}, and say what to write`, () => {
      const problems = problemsOf(line);
      expect(problems).to.have.length(1);
      expect(problems[0]).to.match(problem);
    });
  }

  it('name all mistakes at once', () => {
    expect(problemsOf('--port x --uid y', { INBOUND_INTERCEPT_PORTS: 'z' })).to.have.length(3);
  });

  it('tell of variables and flags that have no effect', () => {
    const { notices } = read('--cni-mode', { NETRA_SIDECAR_PROT: '1', NETRA_PORT: '14956', ISTIO_META_WORKLOAD: 'a' });
    expect(notices).to.deep.equal([
      '--cni-mode: it changes nothing; --network-namespace says where to work',
      'NETRA_SIDECAR_PROT is no variable of interception; mesher intercept plan --help lists them',
    ]);
  });

  it('leave alone the ports that netramesh was told to listen on', () => {
    const { options } = read('', { NETRA_PROMETHEUS_PORT: '9999' });
    expect(options.ownPorts).to.deep.include({ first: 9999, last: 9999 });
  });

  it('find the name servers of resolv.conf', () => {
    const text = '# nameserver 1.1.1.1\nnameserver 10.0.0.1\n nameserver fe80::1%eth0\nsearch a\nnameserver x\n';
    expect(read('--redirect-dns', {}, text).options.dns.servers).to.deep.equal(['10.0.0.1', 'fe80::1']);
  });

  it('make networks and ports one that are one', () => {
    const { options } = read('--inbound-ports 80,81,82-90 --outbound-cidrs 10.1.2.3/8,FD00:0::1/16');
    expect(options.inbound.ports).to.deep.equal([{ first: 80, last: 90 }]);
    expect(options.outbound.cidrs).to.deep.equal([
      { family: 'ipv4', address: '10.0.0.0', length: 8 },
      { family: 'ipv6', address: 'fd00::', length: 16 },
    ]);
  });
});
