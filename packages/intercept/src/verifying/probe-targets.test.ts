import { expect } from 'chai';
import { optionsOf } from '../testing/options-of.js';
import { exemption, inboundPort, outboundTarget } from './probe-targets.js';

const PROBE = 15002;

describe('a probe', () => {
  it('goes out to an address for documentation, to the port that it is told', () => {
    expect(outboundTarget('ipv4', optionsOf(), PROBE)).to.deep.equal({ address: '192.0.2.1', port: PROBE });
    expect(outboundTarget('ipv6', optionsOf(), PROBE)).to.deep.equal({ address: '2001:db8::1', port: PROBE });
  });

  it('goes out to a network and a port that are intercepted', () => {
    const options = optionsOf(
      '--outbound-cidrs 10.0.0.0/8,fd00::/8 --outbound-ports 80-90 --exclude-outbound-ports 80',
    );
    expect(outboundTarget('ipv4', options, PROBE)).to.deep.equal({ address: '10.0.0.0', port: 90 });
    expect(outboundTarget('ipv6', options, PROBE)).to.deep.equal({ address: 'fd00::', port: 90 });
    const excluded = optionsOf('--exclude-outbound-cidrs 192.0.2.0/24 --exclude-outbound-ports 15002');
    expect(outboundTarget('ipv4', excluded, PROBE)).to.deep.equal({ address: '198.51.100.1', port: 15003 });
  });

  it('that can go nowhere says why', () => {
    expect(outboundTarget('ipv6', optionsOf('--outbound-cidrs 10.0.0.0/8'), PROBE)).to.equal(
      'no network of ipv6 is intercepted',
    );
    const noPort = optionsOf('--outbound-ports 80 --exclude-outbound-ports 80');
    expect(outboundTarget('ipv4', noPort, PROBE)).to.equal('no port is intercepted');
    expect(inboundPort(optionsOf('--inbound-ports 14956'), '10.0.0.1', PROBE)).to.equal('no port is intercepted');
    expect(inboundPort(optionsOf('--exclude-inbound-cidrs 10.0.0.0/8'), '10.0.0.1', PROBE)).to.equal(
      'callers at 10.0.0.1 are left alone',
    );
    expect(inboundPort(optionsOf('--inbound-cidrs 11.0.0.0/8'), '10.0.0.1', PROBE)).to.equal(
      'only callers in 11.0.0.0/8 are intercepted',
    );
  });

  it('of a process that the rules leave alone tells nothing', () => {
    expect(exemption(optionsOf(), 0, 0)).to.equal(undefined);
    expect(exemption(optionsOf(), 1337, 0)).to.equal('this process has the uid 1337 of the sidecar');
    expect(exemption(optionsOf('--gid 7'), 0, 7)).to.equal('this process has the gid 7 of the sidecar');
    expect(exemption(optionsOf('--owner-groups 5'), 0, 0)).to.equal('the group 0 of this process is left alone');
    expect(exemption(optionsOf('--exclude-owner-groups 5'), 0, 5)).to.equal(
      'the group 5 of this process is left alone',
    );
  });
});
