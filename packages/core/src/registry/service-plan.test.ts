import { expect } from 'chai';
import type { BalancerFactory } from '../loadbalance/load-balancer.js';
import { steadyBalancing } from '../loadbalance/steady-balancing.js';
import { FakeCall } from '../testing/fake-call.js';
import { fakePorts } from '../testing/fake-ports.js';
import { httpInstance, instanceAt } from '../testing/instances.js';
import type { Subset } from '../routing/subset.js';
import type { ServiceSnapshot } from './contracts.js';
import type { Endpoint } from './endpoint.js';
import type { Instance } from './instance.js';
import { spokenAt, whyLeftOut } from './instance-choice.js';
import { ServicePlan } from './service-plan.js';

function planOf(retired: Endpoint[] = []): ServicePlan {
  const ports = fakePorts();
  return new ServicePlan('world', ports, steadyBalancing(ports), (endpoint) => retired.push(endpoint));
}

function snapshot(revision: string, ...instances: Instance[]): ServiceSnapshot {
  return { service: 'world', exists: true, revision, instances };
}

function keys(plan: ServicePlan, protocol: 'http' | 'grpc' | 'tcp' = 'http'): string[] {
  return plan.candidates(protocol).endpoints.map(({ key }) => key);
}

describe('a service plan', () => {
  it('is pending until the registry has answered, and then known or absent', () => {
    const plan = planOf();
    expect(plan.state).to.equal('pending');
    expect(plan.pick(new FakeCall(), undefined)).to.equal(undefined);
    plan.apply({ service: 'world', exists: false, revision: 'a', instances: [] }, 5);
    expect([plan.state, plan.updatedAt]).to.deep.equal(['absent', 5]);
    plan.apply(snapshot('b'), 6);
    expect([plan.state, plan.updatedAt]).to.deep.equal(['known', 6]);
  });

  it('keeps the identity and state of an endpoint over snapshots in which its address stays', () => {
    const plan = planOf();
    plan.apply(snapshot('a', httpInstance('10.0.0.1:80'), httpInstance('10.0.0.2:80')), 0);
    const [first] = plan.candidates('http').endpoints as [Endpoint];
    first.connectFailures = 3;
    plan.apply(snapshot('b', httpInstance('10.0.0.3:80'), httpInstance('10.0.0.1:80', { version: '2.0.0' })), 0);
    const again = plan.candidates('http').endpoints[1];
    expect(again).to.equal(first);
    expect(again?.instance?.version).to.equal('2.0.0');
    expect(keys(plan)).to.deep.equal(['10.0.0.3:80', '10.0.0.1:80']);
  });

  it('retires exactly the endpoints whose address is in no instance any more, once', () => {
    const retired: Endpoint[] = [];
    const plan = planOf(retired);
    plan.apply(snapshot('a', httpInstance('10.0.0.1:80'), httpInstance('10.0.0.2:80')), 0);
    const [first, second] = plan.candidates('http').endpoints as [Endpoint, Endpoint];
    plan.apply(snapshot('b', httpInstance('10.0.0.2:80')), 0);
    plan.apply(snapshot('c', httpInstance('10.0.0.2:80')), 0);
    expect(retired).to.deep.equal([first]);
    expect([first.retired, second.retired]).to.deep.equal([true, false]);
  });

  it('makes a new endpoint for an address that comes back after it was retired', () => {
    const plan = planOf();
    plan.apply(snapshot('a', httpInstance('10.0.0.1:80')), 0);
    const [before] = plan.candidates('http').endpoints;
    plan.apply(snapshot('b'), 0);
    plan.apply(snapshot('c', httpInstance('10.0.0.1:80')), 0);
    expect(plan.candidates('http').endpoints[0]).to.not.equal(before);
    expect(plan.candidates('http').endpoints[0]?.retired).to.equal(false);
  });

  it('keeps the connections of an instance that is down for a while: its endpoint is left out, not retired', () => {
    const retired: Endpoint[] = [];
    const plan = planOf(retired);
    plan.apply(snapshot('a', httpInstance('10.0.0.1:80')), 0);
    const [before] = plan.candidates('http').endpoints;
    plan.apply(snapshot('b', httpInstance('10.0.0.1:80', { status: 'DOWN' })), 0);
    expect(keys(plan)).to.deep.equal([]);
    plan.apply(snapshot('c', httpInstance('10.0.0.1:80')), 0);
    expect(plan.candidates('http').endpoints[0]).to.equal(before);
    expect(retired).to.deep.equal([]);
  });

  it('does nothing for a snapshot of the same revision, so that the balancer goes on where it was', () => {
    const plan = planOf();
    plan.apply(snapshot('a', httpInstance('10.0.0.1:80')), 0);
    const candidates = plan.candidates('http');
    plan.apply(snapshot('a', httpInstance('10.0.0.1:80')), 9);
    expect(plan.candidates('http')).to.equal(candidates);
    expect(plan.updatedAt).to.equal(9);
  });

  it('notices that a service ceased to exist even if the revision is the same', () => {
    const retired: Endpoint[] = [];
    const plan = planOf(retired);
    plan.apply(snapshot('a', httpInstance('10.0.0.1:80')), 0);
    keys(plan);
    plan.apply({ service: 'world', exists: false, revision: 'a', instances: [] }, 0);
    expect(plan.state).to.equal('absent');
    expect(retired).to.have.lengthOf(1);
  });

  it('takes two registrations of one address for one endpoint, of which the first counts', () => {
    const plan = planOf();
    const line = httpInstance('10.0.0.1:80', { instanceId: 'line', weight: 3 });
    plan.apply(snapshot('a', line, httpInstance('10.0.0.1:80', { instanceId: 'registered', weight: 1 })), 0);
    const { endpoints } = plan.candidates('http');
    expect(endpoints).to.have.lengthOf(1);
    expect([endpoints[0]?.instance, endpoints[0]?.weight]).to.deep.equal([line, 3]);
  });

  it('does not let a registration that is down hide another one of the same address', () => {
    const plan = planOf();
    plan.apply(snapshot('a', httpInstance('10.0.0.1:80', { status: 'DOWN' }), httpInstance('10.0.0.1:80')), 0);
    expect(keys(plan)).to.deep.equal(['10.0.0.1:80']);
  });

  it('gives calls to the new weights when a snapshot changes them', () => {
    const plan = planOf();
    const other = httpInstance('10.0.0.2:80');
    const share = (): number =>
      Array.from({ length: 40 }, () => plan.pick(new FakeCall(), undefined)).filter((one) => one?.host === '10.0.0.1')
        .length;
    plan.apply(snapshot('a', httpInstance('10.0.0.1:80'), other), 0);
    expect(share()).to.equal(20);
    plan.apply(snapshot('b', httpInstance('10.0.0.1:80', { weight: 3 }), other), 0);
    expect(share()).to.equal(30);
  });

  it('gives the balancer the outcome of a call', () => {
    const seen: [Endpoint, number][] = [];
    const ports = fakePorts();
    const factory: BalancerFactory = (endpoints) => ({
      pick: () => endpoints[0],
      observe: (endpoint, outcome) => seen.push([endpoint, outcome.status]),
    });
    const plan = new ServicePlan('world', ports, steadyBalancing(ports, { factory }), () => {});
    plan.apply(snapshot('a', httpInstance('10.0.0.1:80')), 0);
    const call = new FakeCall();
    const endpoint = plan.pick(call, undefined) as Endpoint;
    plan.observe(call, endpoint, { status: 200, code: undefined, aborted: false, durationMs: 1 });
    expect(seen).to.deep.equal([[endpoint, 200]]);
  });

  it('counts attempts under way, and learns nothing from how long a connection lasts', () => {
    const ports = fakePorts();
    const plan = new ServicePlan('world', ports, steadyBalancing(ports, { strategy: 'PeakEWMA' }), () => {});
    plan.apply(snapshot('a', instanceAt({ tcp: '10.0.0.1:80', rest: '10.0.0.1:80' })), 0);
    for (const [protocol, latencyMs] of [
      ['tcp', 0],
      ['http', 5],
    ] as const) {
      const call = new FakeCall({ protocol });
      const endpoint = plan.pick(call, undefined) as Endpoint;
      plan.started(endpoint);
      plan.started(endpoint);
      expect(endpoint.inFlight).to.equal(2);
      for (let i = 0; i < 2; i++) {
        plan.observe(call, endpoint, { status: 200, code: undefined, aborted: i === 1, durationMs: 5 });
      }
      expect([endpoint.inFlight, endpoint.latencyMs]).to.deep.equal([0, latencyMs]);
    }
  });

  it('forgets parts that rules no longer ask for, and compiles one anew that is asked for again', () => {
    const plan = planOf();
    plan.apply(snapshot('a', httpInstance('10.0.0.1:80')), 0);
    const part = (name: string): Subset => ({ name, whenEmpty: 'fail', select: (instances) => instances });
    const first = part('first');
    const compiled = plan.candidates('http', first);
    expect(plan.candidates('http', first)).to.equal(compiled);
    for (let i = 0; i < 1000; i++) plan.candidates('http', part(`part ${i}`));
    const again = plan.candidates('http', first);
    expect(again).to.not.equal(compiled);
    expect(again.endpoints).to.deep.equal(compiled.endpoints);
  });

  it('retires all its endpoints when it is given up', () => {
    const retired: Endpoint[] = [];
    const plan = planOf(retired);
    plan.apply(snapshot('a', instanceAt({ rest: '10.0.0.1:80', grpc: '10.0.0.1:90' })), 0);
    keys(plan, 'http');
    keys(plan, 'grpc');
    plan.retireAll();
    expect(retired.map(({ key, retired: gone }) => [key, gone])).to.deep.equal([
      ['10.0.0.1:80', true],
      ['10.0.0.1:90', true],
    ]);
  });
});

describe('the address for a protocol', () => {
  const all = {
    rest: '10.0.0.1:1',
    http: '10.0.0.1:2',
    grpc: '10.0.0.1:3',
    tcp: '10.0.0.1:4',
    '*': '10.0.0.1:5',
    h2c: '10.0.0.1:6',
  };
  const cases: readonly (readonly [protocol: 'http' | 'grpc' | 'tcp', names: readonly string[], port: number])[] = [
    ['http', ['rest', 'http', '*', 'grpc'], 1],
    ['http', ['http', '*', 'grpc'], 2],
    ['http', ['*', 'grpc', 'tcp'], 5],
    ['http', ['h2c', 'grpc'], 6],
    ['http', ['grpc'], 3],
    ['grpc', ['grpc', 'h2c', 'rest', '*'], 3],
    ['grpc', ['h2c', 'rest', '*'], 6],
    ['grpc', ['rest', '*'], 5],
    ['tcp', ['rest', '*', 'tcp'], 4],
    ['tcp', ['rest', 'grpc', '*'], 5],
    ['tcp', ['grpc', 'http', 'rest'], 1],
    ['tcp', ['grpc'], 3],
  ];
  for (const [protocol, names, port] of cases) {
    it(`of an instance with ${names.join(', ')} is, for ${protocol}, the one at port ${port}`, () => {
      const plan = planOf();
      const addresses = Object.fromEntries(names.map((name) => [name, all[name as keyof typeof all]]));
      plan.apply(snapshot('a', instanceAt(addresses)), 0);
      expect(keys(plan, protocol)).to.deep.equal([`10.0.0.1:${port}`]);
    });
  }

  it('is none for HTTP when an instance only has an admin port', () => {
    const plan = planOf();
    plan.apply(snapshot('a', instanceAt({ 'rest-admin': '10.0.0.1:9' })), 0);
    expect(keys(plan, 'http')).to.deep.equal([]);
  });

  it('is none for gRPC when an instance promises no more than HTTP/1, into which gRPC cannot be translated', () => {
    const plan = planOf();
    plan.apply(snapshot('a', instanceAt({ rest: '10.0.0.1:1', http: '10.0.0.1:2' })), 0);
    expect(keys(plan, 'grpc')).to.deep.equal([]);
  });
});

describe('what an endpoint speaks', () => {
  const spoken = (name: string, protocol: 'http' | 'grpc' | 'tcp'): string | undefined => {
    const plan = planOf();
    plan.apply(snapshot('a', instanceAt({ [name]: '10.0.0.1:80' })), 0);
    return plan.candidates(protocol).endpoints[0]?.speaks;
  };

  it('follows from the name of its address', () => {
    expect(['rest', 'http', '*', 'h2c', 'grpc'].map((name) => spoken(name, 'http'))).to.deep.equal([
      'http1',
      'http1',
      'any',
      'http2',
      'http2',
    ]);
    expect(['*', 'h2c', 'grpc'].map((name) => spoken(name, 'grpc'))).to.deep.equal(['any', 'http2', 'http2']);
    expect(['rest', 'grpc-admin', 'dubbo', ''].map(spokenAt)).to.deep.equal(['http1', 'http2', 'any', 'any']);
  });

  it('makes two endpoints of one address that is listed for HTTP and for gRPC, and either goes when its name goes', () => {
    const retired: Endpoint[] = [];
    const plan = planOf(retired);
    plan.apply(snapshot('a', instanceAt({ rest: '10.0.0.1:80', grpc: '10.0.0.1:80' })), 0);
    const [http] = plan.candidates('http').endpoints as [Endpoint];
    const [grpc] = plan.candidates('grpc').endpoints as [Endpoint];
    expect([http.key, http.speaks, grpc.key, grpc.speaks]).to.deep.equal([
      '10.0.0.1:80',
      'http1',
      '10.0.0.1:80',
      'http2',
    ]);
    plan.apply(snapshot('b', instanceAt({ rest: '10.0.0.1:80' })), 0);
    expect(retired).to.deep.equal([grpc]);
    expect(plan.candidates('http').endpoints[0]).to.equal(http);
  });
});

describe('the reason why an instance takes no calls', () => {
  it('is its status unless that is UP or TESTING', () => {
    const reasons = (['UP', 'TESTING', 'DOWN', 'STARTING', 'OUTOFSERVICE'] as const).map((status) =>
      whyLeftOut(httpInstance('10.0.0.1:80', { status }), 'http'),
    );
    expect(reasons).to.deep.equal([undefined, undefined, 'status', 'status', 'status']);
  });

  it('is its weight when that is 0, below, or no finite number', () => {
    for (const weight of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(whyLeftOut(httpInstance('10.0.0.1:80', { weight }), 'http'), String(weight)).to.equal('weight');
    }
    expect(whyLeftOut(httpInstance('10.0.0.1:80', { weight: 0.001 }), 'http')).to.equal(undefined);
  });

  it('is the protocol when it has no address for it', () => {
    expect(whyLeftOut(instanceAt({ tcp: '10.0.0.1:80' }), 'http')).to.equal('protocol');
    expect(whyLeftOut(instanceAt({ rest: '10.0.0.1:80' }), 'grpc')).to.equal('protocol');
    expect(whyLeftOut(instanceAt({ grpc: '10.0.0.1:80' }), 'http')).to.equal(undefined);
  });

  it('is TLS, except for connections that are passed on byte by byte', () => {
    const secured = httpInstance('10.0.0.1:443', {
      addresses: new Map([['rest', { host: '10.0.0.1', port: 443, tls: true }]]),
    });
    expect(whyLeftOut(secured, 'http')).to.equal('tls');
    expect(whyLeftOut(secured, 'tcp')).to.equal(undefined);
  });
});
