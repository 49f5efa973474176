import { expect } from 'chai';
import { formatHostPort, parseServicePorts } from '@mesher/core';
import { ownAddresses } from './own-addresses.js';

const HTTP = { host: '10.0.0.7', port: 30_101 };
const GRPC = { host: '10.0.0.7', port: 40_101 };
const BOTH = { http: HTTP, grpc: GRPC };
const HTTP_ONLY = { http: HTTP, grpc: undefined };
const GRPC_ONLY = { http: undefined, grpc: GRPC };
const NONE = { http: undefined, grpc: undefined };

function registered(advertised: typeof BOTH | typeof HTTP_ONLY | typeof GRPC_ONLY | typeof NONE, flag: string): string {
  const addresses = ownAddresses(advertised, parseServicePorts(flag));
  return [...addresses].map(([name, address]) => `${name} ${formatHostPort(address)}`).join(', ');
}

describe('the addresses that a sidecar registers', () => {
  const rest = 'rest 10.0.0.7:30101';
  const grpc = 'grpc 10.0.0.7:40101';
  const shared = 'grpc 10.0.0.7:30101';

  it('are those of its listeners for the protocols that the application declares', () => {
    expect(registered(BOTH, 'rest:8080,grpc:9000')).to.equal(`${rest}, ${grpc}`);
    expect(registered(BOTH, 'rest:8080')).to.equal(rest);
    expect(registered(BOTH, 'grpc:9000')).to.equal(grpc);
    expect(registered(BOTH, 'rest:8080,grpc-admin:9000')).to.equal(`${rest}, ${grpc}`);
  });

  it('are both when nothing is declared, because callers choose the port and what is spoken there', () => {
    expect(registered(BOTH, '')).to.equal(`${rest}, ${grpc}`);
    expect(registered(HTTP_ONLY, '')).to.equal(`${rest}, ${shared}`);
  });

  it('name the listener for HTTP for gRPC, too, when there is no other, since it takes both', () => {
    expect(registered(HTTP_ONLY, 'rest:8080,grpc:9000')).to.equal(`${rest}, ${shared}`);
    expect(registered(HTTP_ONLY, 'grpc:9000')).to.equal(shared);
  });

  it('are both for an application that takes HTTP and gRPC over HTTP/2', () => {
    expect(registered(BOTH, 'h2c:8080')).to.equal(`${rest}, ${grpc}`);
  });

  it('are for HTTP when only other protocols are declared, whose connections come in there', () => {
    expect(registered(BOTH, 'tcp:5432')).to.equal(rest);
  });

  it('are none without an inbound listener', () => {
    expect(registered(NONE, 'rest:8080,grpc:9000')).to.equal('');
    expect(registered(GRPC_ONLY, 'rest:8080')).to.equal('');
    expect(registered(GRPC_ONLY, 'rest:8080,grpc:9000')).to.equal(grpc);
  });
});
