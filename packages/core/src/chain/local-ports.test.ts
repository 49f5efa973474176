import { expect } from 'chai';
import { parseServicePorts } from '../config/service-ports.js';
import type { Rejection } from '../errors.js';
import { isMeshError } from '../errors.js';
import type { CallProtocol } from '../invocation.js';
import { Endpoint } from '../registry/endpoint.js';
import { FakeCall } from '../testing/fake-call.js';
import { LocalPorts } from './local-ports.js';

const OWN = new Set([30101, 30102]);

function localPorts(flag: string): LocalPorts {
  return new LocalPorts(parseServicePorts(flag), (port) => OWN.has(port));
}

function target(ports: LocalPorts, forwardedPort?: string, protocol: CallProtocol = 'http'): Endpoint | Rejection {
  const headers: Record<string, string> = forwardedPort === undefined ? {} : { 'x-forwarded-port': forwardedPort };
  return ports.target(new FakeCall({ direction: 'inbound', protocol, headers }));
}

function keyOrCode(verdict: Endpoint | Rejection): string {
  return verdict instanceof Endpoint ? verdict.key : verdict.code;
}

describe('the local port of an inbound call', () => {
  type Case = readonly [flag: string, field: string | undefined, protocol: CallProtocol, answer: string, why: string];
  const NONE = 'MESH_ERR_NO_LOCAL_PORT';
  const cases: readonly Case[] = [
    ['rest:8080', undefined, 'http', '127.0.0.1:8080', 'the declared one of the protocol'],
    ['http:8080', undefined, 'http', '127.0.0.1:8080', 'http and rest being the same'],
    ['rest:8080,grpc:9000', undefined, 'grpc', '127.0.0.1:9000', 'the declared one of the protocol'],
    ['rest:8080,tcp:7000', undefined, 'tcp', '127.0.0.1:7000', 'the declared one of the protocol'],
    ['rest:8080', undefined, 'grpc', NONE, 'nothing being declared for the protocol'],
    ['rest:8080,rest-admin:8081', '8081', 'http', '127.0.0.1:8081', 'a named one chosen by number'],
    ['rest:8080,rest-admin:8081', 'admin', 'http', '127.0.0.1:8081', 'a named one chosen by name'],
    ['rest:8080,rest-admin:8081', 'rest-admin', 'http', '127.0.0.1:8081', 'a named one chosen by its full name'],
    ['rest:8080,rest-admin:8081', undefined, 'http', '127.0.0.1:8080', 'the one without a name'],
    ['rest-admin:8081', undefined, 'http', '127.0.0.1:8081', 'the only one of the protocol'],
    ['rest-a:8081,rest-b:8082', undefined, 'http', NONE, 'there being two, and none chosen'],
    ['rest:8080,grpc:9000', '8080', 'grpc', NONE, 'the chosen one speaking HTTP/1'],
    ['rest:8080,grpc:8080', '8080', 'grpc', '127.0.0.1:8080', 'it being declared for both'],
    ['rest:8080,grpc:9000', '9000', 'http', '127.0.0.1:9000', 'any declared one may be chosen'],
    ['rest:8080', '443', 'http', '127.0.0.1:8080', 'a load balancer having written its own port'],
    ['rest:8080', '22', 'http', '127.0.0.1:8080', 'an undeclared port being out of reach'],
    ['rest:8080', '30101', 'http', '127.0.0.1:8080', "Mesher's own port being out of reach"],
    ['h2c:8080,grpc:9000', undefined, 'http', '127.0.0.1:8080', 'HTTP/2 serving HTTP best'],
    ['grpc:9000', undefined, 'http', '127.0.0.1:9000', 'there being no other'],
    ['rest:8080,h2c:8082', undefined, 'http', '127.0.0.1:8080', 'what needs no translation coming first'],
    ['rest:8080,h2c:8082', undefined, 'grpc', '127.0.0.1:8082', 'gRPC being HTTP/2'],
    ['rest:8080,grpc-a:9000', undefined, 'grpc', '127.0.0.1:9000', 'the only one of the protocol'],
    ['', '8083', 'http', '127.0.0.1:8083', 'nothing being declared, the caller chooses'],
    ['', '30101', 'http', NONE, "Mesher's own port being out of reach"],
    ['', '30102', 'http', NONE, "Mesher's own port being out of reach"],
    ['', undefined, 'http', NONE, 'nothing telling it'],
    ['', '1', 'http', '127.0.0.1:1', 'the lowest port'],
    ['', '65535', 'http', '127.0.0.1:65535', 'the highest port'],
    ['', '08083', 'http', '127.0.0.1:8083', 'a number with a leading zero'],
    ['', '8083', 'tcp', '127.0.0.1:8083', 'the field counting for every protocol that has fields'],
  ];
  for (const [flag, field, protocol, answer, why] of cases) {
    it(`is ${answer} for --service-ports='${flag}', port field ${field ?? '(none)'}, ${protocol}: ${why}`, () => {
      expect(keyOrCode(target(localPorts(flag), field, protocol))).to.equal(answer);
    });
  }

  for (const bad of ['', '0', '65536', '99999', '123456', '-1', '80.5', '80 ', '0x50', '8080, 443', 'eighty', '١٢']) {
    it(`is not told by a field that is no port: '${bad}'`, () => {
      expect(keyOrCode(target(localPorts('rest:8080'), bad))).to.equal('127.0.0.1:8080');
      expect(keyOrCode(target(localPorts(''), bad))).to.equal('MESH_ERR_NO_LOCAL_PORT');
    });
  }

  it('that is missing is explained with the flag to set', () => {
    const missing = target(localPorts('rest:8080'), undefined, 'grpc') as Rejection;
    expect(missing.hint).to.contain('--service-ports=grpc:PORT');
    const ambiguous = target(localPorts('rest-a:8081,rest-b:8082')) as Rejection;
    expect(ambiguous.message).to.contain('rest-a, rest-b');
    const several = target(localPorts('grpc-a:9001,grpc-b:9002'), undefined, 'grpc') as Rejection;
    expect(several.message).to.contain('several local ports for grpc (grpc-a, grpc-b)');
  });

  it('that a call of gRPC chose although it is one of HTTP/1 is explained with the flag to set', () => {
    const refused = target(localPorts('rest:8080,grpc:9000'), '8080', 'grpc') as Rejection;
    expect(refused.message).to.contain('port 8080, which is declared for HTTP/1');
    expect(refused.hint).to.contain('--service-ports=grpc:8080');
  });

  it('is spoken to as it was declared; an undeclared one may speak anything, and so may one declared for both', () => {
    const spoken = (flag: string, field?: string, protocol?: CallProtocol): string =>
      (target(localPorts(flag), field, protocol) as Endpoint).speaks;
    expect(spoken('rest:8080')).to.equal('http1');
    expect(spoken('h2c:8080')).to.equal('http2');
    expect(spoken('grpc-a:8080', undefined, 'grpc')).to.equal('http2');
    expect(spoken('', '8083')).to.equal('any');
    expect(spoken('rest:8080,grpc:8080')).to.equal('any');
    const ports = localPorts('grpc:9000');
    expect(ports.otherFamily(target(ports) as Endpoint)?.speaks).to.equal('http2');
  });

  it('is the same endpoint for every call, so that its connections are used again', () => {
    const declared = localPorts('rest:8080');
    expect(target(declared)).to.equal(target(declared, '8080'));
    const open = localPorts('');
    expect(target(open, '8083')).to.equal(target(open, '8083'));
  });

  it("must not be one of Mesher's own, which is a mistake in the flag", () => {
    expect(() => localPorts('rest:30101'))
      .to.throw(/port 30101 \(rest\) is one of Mesher's own/)
      .that.satisfies((error: unknown) => isMeshError(error, 'MESH_ERR_USAGE'));
  });

  it('that nobody declared is forgotten when callers name too many, oldest first', () => {
    const open = localPorts('');
    const first = target(open, '1000') as Endpoint;
    for (let port = 1001; port < 1064; port++) target(open, String(port));
    expect(target(open, '1000')).to.equal(first);
    const newest = target(open, '2000') as Endpoint;
    expect([first.retired, newest.retired]).to.deep.equal([true, false]);
    expect(target(open, '1000')).to.not.equal(first);
    expect(target(open, '2000')).to.equal(newest);
  });
});

describe('an application that listens on the other loopback address', () => {
  it('is looked for on IPv6 after IPv4 refused, and found there by the next calls', () => {
    const ports = localPorts('rest:8080');
    const ipv4 = target(ports) as Endpoint;
    const ipv6 = ports.otherFamily(ipv4);
    expect([ipv4.key, ipv6?.key]).to.deep.equal(['127.0.0.1:8080', '[::1]:8080']);
    expect(target(ports)).to.equal(ipv6);
  });

  it('is looked for on IPv4 again when it is no longer on IPv6', () => {
    const ports = localPorts('');
    const ipv4 = target(ports, '8083') as Endpoint;
    const ipv6 = ports.otherFamily(ipv4) as Endpoint;
    expect(ports.otherFamily(ipv6)).to.equal(ipv4);
    expect(target(ports, '8083')).to.equal(ipv4);
  });

  it('is looked for at the same place by calls that fail together', () => {
    const ports = localPorts('rest:8080');
    const ipv4 = target(ports) as Endpoint;
    const found = [ports.otherFamily(ipv4), ports.otherFamily(ipv4)];
    expect(found[0]).to.equal(found[1]);
  });

  it('is not looked for behind an endpoint that is no local port', () => {
    expect(localPorts('rest:8080').otherFamily(new Endpoint('10.0.0.1', 9999))).to.equal(undefined);
  });
});
