import { buildIpIndex, makeInstance, schemaDefaults, type CallHandler } from '@mesher/core';
import { fakePorts } from '@mesher/core/testing';
import { expect } from 'chai';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { Passages } from './passages.js';
import type { TransparentExplanation } from './transparent-explanation.js';
import { TransparentRoutes, type MeshSide } from './transparent-routes.js';
import { transparentSchema, type TransparentOptions } from './transparent-schema.js';
import { transparentSources } from './transparent-view.js';
import { TransparentWatcher } from './watching/transparent-watcher.js';

const NEVER: CallHandler = {
  direction: 'outbound',
  begin: () => expect.fail('nothing is sent'),
  again: () => expect.fail('nothing is sent'),
  connected: () => undefined,
  end: () => undefined,
};

/** The side of the client, which a watcher asks for little. */
class FakeSocket extends EventEmitter {
  readonly remoteAddress = '::ffff:10.0.0.9';
  readonly bytesRead = 10;
  readonly bytesWritten = 200;
}

describe('what is shown of the transparent mode', () => {
  const addresses = new Map([['rest', { host: '10.0.0.7', port: 8080, tls: false }]]);
  const orders = makeInstance({ service: 'orders', instanceId: 'o1', addresses });

  function show(wanted: Partial<TransparentOptions> = {}) {
    const options = { ...schemaDefaults(transparentSchema), ...wanted };
    const { clock, time } = fakePorts();
    const directory: MeshSide['directory'] = {
      ipIndex: buildIpIndex([orders]),
      registeredName: (name) => (name === 'orders' ? name : undefined),
      plan: () => undefined,
    };
    const observation = { isWanted: false, begin: () => undefined, end: () => undefined };
    const mesh: MeshSide = { inbound: NEVER, outbound: NEVER, observation, directory };
    const forgotten: string[] = [];
    const passages = new Passages({
      maxDestinations: 16,
      own: 'shop',
      metrics: undefined,
      observation,
      onForgotten: ({ key }) => forgotten.push(key),
    });
    const routes = new TransparentRoutes(mesh, passages, options, 'shop', () => false);
    const watcher = new TransparentWatcher({ ...options, clock });
    const decider = {
      httpPorts: new Set(options.httpPorts),
      opaquePorts: new Set(options.opaquePorts),
      isOwnAddress: (address: string) => address === '10.0.0.2',
      isOwnListener: (address: string, port: number) => address === '10.0.0.2' && port === 14_956,
      route: routes.route.bind(routes),
      whoRuns: 'user 1337',
    };
    const sources = transparentSources({ options, watcher, decider, directory }, { host: '::', port: 14_956 });
    const explain = (query: string): TransparentExplanation =>
      sources.explain(new URLSearchParams(query)) as TransparentExplanation;
    return { sources, watcher, time, explain, forgotten };
  }

  function begin(
    watcher: TransparentWatcher,
    address: string,
    port = 80,
  ): { socket: FakeSocket; told: ReturnType<TransparentWatcher['begun']> } {
    const socket = new FakeSocket();
    return { socket, told: watcher.begun(socket as unknown as Socket, 'outbound', { address, port }) };
  }

  it('explains each decision in its order', () => {
    const { steps, ...decided } = show({ policy: 'mesh' }).explain('address=10.0.0.7&port=8080');
    expect(decided).to.deep.equal({
      address: '10.0.0.7',
      port: 8080,
      protocol: 'http1',
      host: '',
      direction: 'outbound',
      verdict: 'mesh',
      service: 'orders',
    });
    const stages = ['rules', 'direction', 'port', 'instance', 'policy', 'requests', 'bytes', 'protocol', 'verdict'];
    expect(steps.map(({ stage }) => stage)).to.deep.equal(stages);
    expect(steps[3]?.decision).to.equal('10.0.0.7:8080 is an instance of orders: it is counted for that service');
  });

  it('decides as the protocol, the name and the port say', () => {
    const { explain } = show({ policy: 'mesh' });
    const verdictOf = (query: string): string => explain(query).verdict;
    expect(verdictOf('address=10.0.0.7&port=8080&protocol=tcp')).to.equal('passed');
    expect(verdictOf('address=192.0.2.1&port=80')).to.equal('passed');
    expect(verdictOf('address=192.0.2.1&port=80&host=Orders')).to.equal('mesh');
    expect(verdictOf('address=192.0.2.1&port=443&protocol=tls&host=orders')).to.equal('passed');
    expect(explain('address=192.0.2.1&port=6379&host=orders')).to.include({ verdict: 'passed', protocol: 'opaque' });
    expect(explain('address=10.0.0.2&port=80')).to.include({ direction: 'inbound', verdict: 'mesh' });
    expect(explain('address=10.0.0.2&port=14956')).to.include({ direction: 'unknown', verdict: 'loop' });
    expect(show().explain('address=10.0.0.7&port=8080').verdict, 'observe').to.equal('passed');
  });

  it('leaves no trace of a question', () => {
    const { explain, forgotten, sources } = show();
    for (let port = 1; port <= 40; port++) explain(`address=192.0.2.1&port=${port}`);
    expect(forgotten).to.deep.equal([]);
    expect(sources.view().destinations).to.deep.equal([]);
  });

  it('refuses questions that make no sense', () => {
    for (const query of [
      '',
      'address=orders&port=80',
      'address=10.0.0.1&port=0',
      'address=10.0.0.1&port=1&protocol=udp',
    ])
      expect(() => show().explain(query))
        .to.throw()
        .with.property('code', 'MESH_ERR_EXPLAIN_REQUEST');
  });

  it('keeps no more of a host than a host may have', () => {
    const { sources, watcher } = show();
    const { told } = begin(watcher, '10.0.0.7', 8080);
    told.named('a'.repeat(60_000));
    const hosts = [sources.view().destinations[0]?.host, sources.connections()[0]?.host];
    expect(hosts.map((host) => host?.length)).to.deep.equal([260, 260]);
  });

  it('lists destinations with what became of their connections, and the last connections with the reasons', () => {
    const { sources, time, watcher } = show();
    const { socket, told } = begin(watcher, '10.0.0.7', 8080);
    told.decided('http1', 'passed');
    told.named('orders');
    expect(sources.view().destinations).to.have.nested.property('[0].open', 1);
    expect(sources.connections()).to.have.nested.property('[0].end', 'open');
    time.advance(40);
    told.refused('connect ECONNREFUSED 10.0.0.7:8080');
    told.ended('MESH_ERR_CONNECT', false);
    socket.emit('close', false);
    expect(sources.view().destinations).to.have.lengthOf(1);
    expect(sources.view().destinations[0]).to.deep.include({
      address: '10.0.0.7',
      service: 'orders',
      protocols: { http1: 1 },
      verdicts: { passed: 1 },
      connections: 1,
      open: 0,
      requestBytes: 10,
      responseBytes: 200,
    });
    expect(sources.view().destinations)
      .to.have.nested.property('[0].lastError.message')
      .that.matches(/ECONNREFUSED/);
    const [last] = sources.connections();
    expect(last).to.include({ client: '10.0.0.9', host: 'orders', end: 'refused', durationMs: 40, requestBytes: 10 });
    expect(last?.reason).to.match(/^10\.0\.0\.7:8080 is an instance of orders.*; observe: .*; http1: /);
  });

  it('tells how connections ended', () => {
    const { sources, watcher } = show();
    for (const [code, aborted] of [
      [undefined, false],
      [undefined, true],
      ['MESH_ERR_UPSTREAM_RESET', false],
      ['MESH_ERR_TIMEOUT', false],
    ] as const) {
      const { socket, told } = begin(watcher, '10.0.0.7');
      told.ended(code, aborted);
      socket.emit('close', false);
    }
    const served = begin(watcher, '10.0.0.7');
    served.socket.emit('close', true);
    const ends = sources.connections().map(({ end }) => end);
    expect(ends.reverse()).to.deep.equal(['closed', 'client reset', 'server reset', 'idle', 'client reset']);
  });

  it('keeps no more than it is told to, and those that are open longest', () => {
    const { sources, watcher } = show({ maxDestinations: 16, recentConnections: 3 });
    begin(watcher, '10.0.0.1');
    for (let last = 2; last <= 40; last++) begin(watcher, `10.0.0.${last}`).socket.emit('close', false);
    const kept = sources.view().destinations.map(({ address }) => address);
    expect(kept).to.have.lengthOf(16).and.include('10.0.0.1').and.include('10.0.0.40');
    expect(sources.connections().map(({ address }) => address)).to.deep.equal(['10.0.0.40', '10.0.0.39', '10.0.0.38']);
    const none = show({ recentConnections: 0 });
    begin(none.watcher, '10.0.0.1');
    none.watcher.turnedAway(new FakeSocket() as unknown as Socket, 'gone');
    expect(none.sources.connections()).to.deep.equal([]);
  });
});
