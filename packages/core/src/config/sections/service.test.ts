import { expect } from 'chai';
import { isIPv4 } from 'node:net';
import { hostname } from 'node:os';
import { instanceHostname } from './service.js';

describe('instanceHostname', () => {
  it('takes what is configured, else the name of the machine', () => {
    expect(instanceHostname('web-1')).to.equal('web-1');
    expect(instanceHostname(undefined)).to.equal(hostname());
  });

  it('puts an address in place of $INTERNAL_IP, or the name of a machine that has only loopback', () => {
    const name = instanceHostname('$INTERNAL_IP');
    expect(isIPv4(name) || name === hostname(), name).to.equal(true);
    expect(name).to.not.match(/^127\./);
  });
});
