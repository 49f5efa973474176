import {
  LocalDestination,
  buildIpIndex,
  makeInstance,
  schemaDefaults,
  type CallHandler,
  type Instance,
} from '@mesher/core';
import { FakeCall } from '@mesher/core/testing';
import { expect } from 'chai';
import { NamedCalls } from './named-calls.js';
import { Passage } from './passage.js';
import { Passages } from './passages.js';
import { transparentSchema, type TransparentOptions } from './transparent-schema.js';
import { TransparentRoutes, type MeshSide } from './transparent-routes.js';

const ORDERS = { address: '10.0.0.7', port: 8080 };
const ELSEWHERE = { address: '192.0.2.1', port: 8080 };
const OWN = { address: '10.0.0.2', port: 8080 };

function handler(direction: 'inbound' | 'outbound'): CallHandler {
  const nothing = (): void => undefined;
  const never = (): never => {
    throw new Error('not asked here');
  };
  return { direction, begin: never, again: never, connected: nothing, end: nothing };
}

function listed(service: string, host: string, port: number, name: string): Instance {
  return makeInstance({ service, instanceId: service, addresses: new Map([[name, { host, port, tls: false }]]) });
}

describe('the routes of intercepted connections', () => {
  const outbound = handler('outbound');
  const inbound = handler('inbound');
  const http = listed('orders', '10.0.0.7', 8080, 'rest');
  const bytes = listed('queue', '10.0.0.8', 5672, 'tcp');

  function make(options: Partial<TransparentOptions> = {}, isWanted = false): TransparentRoutes {
    const observation = { isWanted, begin: () => undefined, end: () => undefined };
    const mesh: MeshSide = {
      inbound,
      outbound,
      observation,
      directory: {
        ipIndex: buildIpIndex([http, bytes]),
        registeredName: (name) => (['orders', 'queue'].includes(name) ? name : undefined),
        plan: (service) => ({ snapshot: { instances: service === 'queue' ? [bytes] : [http] } }) as never,
      },
    };
    const settings = {
      maxDestinations: 16,
      own: 'shop',
      metrics: undefined,
      observation,
      onForgotten: () => undefined,
    };
    const all = { ...schemaDefaults(transparentSchema), ...options };
    return new TransparentRoutes(mesh, new Passages(settings), all, 'shop', (port) => port === 30_102);
  }

  it('leave everything as it is by default, and know for which service it counts', () => {
    const routes = make();
    for (const [original, service] of [
      [ORDERS, 'orders'],
      [ELSEWHERE, undefined],
    ] as const) {
      const route = routes.route('outbound', original);
      expect(route.verdict).to.equal('passed');
      expect(route.http ?? route.http2 ?? route.observed).to.equal(undefined);
      expect(route).not.to.have.property('byName');
      expect(route.destination?.service).to.equal(service);
      expect(route.handler.begin(new FakeCall())).to.have.property('key', `${original.address}:8080`);
    }
    const inward = routes.route('inbound', OWN);
    expect(inward.verdict).to.equal('passed');
    expect(inward.http ?? inward.http2 ?? inward.observed).to.equal(undefined);
  });

  it('see requests one by one while tracing is on, unless they are told not to', () => {
    expect(make({}, true).route('outbound', ORDERS).http?.handler).to.be.instanceOf(Passage);
    expect(make({}, true).route('outbound', ELSEWHERE).http?.verdict).to.equal('passed');
    expect(make({}, true).route('inbound', OWN).http?.verdict).to.equal('passed');
    expect(make({ requests: 'pass' }, true).route('outbound', ELSEWHERE).http).to.equal(undefined);
    expect(make({ requests: 'serve' }, false).route('outbound', ELSEWHERE).http?.verdict).to.equal('passed');
  });

  it('only observe requests of HTTP/1 where nobody decides about them, so that they stay on their connection', () => {
    for (const direction of ['inbound', 'outbound'] as const) {
      const seen = make({}, true).route(direction, direction === 'inbound' ? OWN : ELSEWHERE);
      if (direction === 'inbound') expect(seen.observed).to.equal(seen.handler);
      expect(seen.http2?.isTransparent).to.equal(true);
      const overHttp2 = seen.http2?.handler.begin(new FakeCall());
      expect(overHttp2).to.include({ speaks: 'http2' });
      expect(make({}, false).route(direction, ELSEWHERE).observed).to.equal(undefined);
    }
    expect(make({ proxyProtocol: 'v1' }, true).route('inbound', OWN).observed).to.be.instanceOf(Passage);
    const { observed, http: served } = make({ policy: 'mesh' }, true).route('outbound', ELSEWHERE);
    expect(observed, 'a later request may name a service').to.equal(undefined);
    expect(served?.handler).to.be.instanceOf(NamedCalls);
  });

  it('count observed requests for the service that each of them names, and leave all of them where they were going', () => {
    const routes = make({}, true);
    const { observed, http, http2 } = routes.route('outbound', ELSEWHERE);
    for (const seen of [observed, http?.handler, http2?.handler]) {
      for (const [authority, service] of [
        ['orders:8080', { service: 'orders' }],
        ['orders.', { service: 'orders' }],
        ['example.org', undefined],
        ['[fd77::2]', undefined],
      ] as const) {
        const call = new FakeCall({ authority });
        expect(seen?.begin(call)).to.have.property('key', '192.0.2.1:8080');
        expect(call.destination, authority).to.deep.equal(service);
      }
    }
    const call = new FakeCall({ authority: 'queue', destination: { service: 'orders' } });
    routes.route('outbound', ORDERS).observed?.begin(call);
    expect(call.destination, 'whose instance the address is').to.deep.equal({ service: 'orders' });
  });

  it('serve HTTP/2 to unknown addresses by the names of its requests, with policy mesh alone', () => {
    const { http: served, http2 } = make({ policy: 'mesh' }).route('outbound', ELSEWHERE);
    expect(served).to.equal(undefined);
    expect(http2?.handler).to.be.instanceOf(NamedCalls);
    expect(make().route('outbound', ELSEWHERE).http2).to.equal(undefined);
  });

  it('give requests to a known address to the mesh, and leave bytes at the address that was chosen', () => {
    const { handler: relay, http: served } = make({ policy: 'mesh' }).route('outbound', ORDERS);
    expect(relay).to.be.instanceOf(Passage);
    expect(served).to.deep.equal({ handler: outbound, destination: { service: 'orders' }, verdict: 'mesh' });
  });

  it('balance bytes where the registry lists the port for bytes', () => {
    const route = make({ policy: 'mesh' }).route('outbound', { address: '10.0.0.8', port: 5672 });
    expect(route).to.deep.include({ handler: outbound, destination: { service: 'queue' }, verdict: 'mesh' });
  });

  it('know services by the names that clients use at unknown addresses', () => {
    const { byName } = make({ policy: 'mesh' }).route('outbound', ELSEWHERE);
    expect(byName?.('orders', 'http1')).to.have.property('handler').that.is.instanceOf(NamedCalls);
    expect(byName?.('orders.', 'http1')?.verdict).to.equal('mesh');
    expect(byName?.('example.org', 'http1')).to.equal(undefined);
    expect(byName?.('[fd77::2]', 'http1')).to.equal(undefined);
    expect(byName?.('orders', 'tls'), 'its instances list no address for TLS').to.equal(undefined);
    expect(byName?.('queue', 'tls')).to.deep.include({ handler: outbound, destination: { service: 'queue' } });
  });

  it('let each request of a connection go where its own name says', () => {
    const asked: string[] = [];
    const mesh = { ...outbound, begin: (call: FakeCall) => void asked.push(call.destination?.service ?? '') as never };
    const passage = new Passages({
      maxDestinations: 16,
      own: 'shop',
      metrics: undefined,
      observation: { begin: () => undefined, end: () => undefined },
      onForgotten: () => undefined,
    }).to('outbound', ELSEWHERE.address, ELSEWHERE.port);
    const calls = new NamedCalls(mesh, passage, (name) => (name === 'orders' ? { service: name } : undefined));
    void calls.begin(new FakeCall({ authority: 'orders' }));
    const stranger = new FakeCall({ authority: 'example.org' });
    expect(calls.begin(stranger)).to.equal(passage.endpoint);
    const failure = { code: 'MESH_ERR_CONNECT', message: 'refused', sent: false, reusedConnection: true } as const;
    expect(calls.again(stranger, failure)).to.equal(passage.endpoint);
    expect(asked).to.deep.equal(['orders']);
  });

  it('bring inbound calls to the address that was called, with the policies of the provider where wanted', () => {
    const { destination, http: served } = make({ policy: 'mesh' }).route('inbound', OWN);
    expect(destination).to.be.instanceOf(LocalDestination).and.deep.include({ service: 'shop' });
    expect((destination as LocalDestination).endpoint.key).to.equal('10.0.0.2:8080');
    expect(served?.handler).to.equal(inbound);
    const loopback = make({ inboundTo: 'loopback' });
    expect(loopback.route('inbound', OWN).handler.begin(new FakeCall())).to.have.property('key', '127.0.0.1:8080');
    const ipv6 = loopback.route('inbound', { address: 'fd77::2', port: 8080 });
    expect(ipv6.handler.begin(new FakeCall())).to.have.property('key', '[::1]:8080');
  });

  it('bring nobody to a port of the sidecar itself by loopback', () => {
    const admin = { address: '10.0.0.2', port: 30_102 };
    const route = make({ inboundTo: 'loopback' }).route('inbound', admin);
    expect(route).to.include({ verdict: 'refused' }).and.not.to.have.property('http');
    expect(route.handler.begin(new FakeCall())).to.have.property('code', 'MESH_ERR_DENIED');
    expect(make().route('inbound', admin).verdict).to.equal('passed');
  });

  it('read nothing of what follows a header of the PROXY protocol', () => {
    const route = make({ policy: 'mesh', proxyProtocol: 'v1' }).route('inbound', OWN);
    expect(route).to.include({ verdict: 'passed' }).and.not.to.have.property('http');
    const socket = { remoteAddress: '10.0.0.9', remotePort: 5 } as never;
    expect(route.preamble?.(socket).toString()).to.equal('PROXY TCP4 10.0.0.9 10.0.0.2 5 8080\r\n');
  });
});
