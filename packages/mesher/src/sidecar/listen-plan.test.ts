import { expect } from 'chai';
import { formatHostPort, isMeshError, type HostPort } from '@mesher/core';
import { documentOf } from '../testing/conf-folder.js';
import { planListeners, type ListenPlan } from './listen-plan.js';

async function plan(yaml: string): Promise<ListenPlan> {
  return planListeners(await documentOf({ 'chassis.yaml': yaml }));
}

/** Addresses as text. */
function shown(addresses: readonly HostPort[]): string[] {
  return addresses.map(formatHostPort);
}

async function planAt(listenAddress: string): Promise<ListenPlan> {
  return await plan(`servicecomb.protocols.http.listenAddress: "${listenAddress}"\n`);
}

describe('the listeners of a sidecar', () => {
  it('are outbound on 127.0.0.1:30101 and admin on 127.0.0.1:30102 when nothing is configured', async () => {
    expect(await plan('')).to.deep.equal({
      outbound: [{ host: '127.0.0.1', port: 30_101, optional: false, isForGrpc: false }],
      inbound: [],
      advertised: { http: undefined, grpc: undefined },
      admin: { host: '127.0.0.1', port: 30_102 },
      ignored: [],
    });
  });

  it('are outbound on loopback and inbound on the configured address, both on its port', async () => {
    const { outbound, inbound, advertised } = await planAt('10.0.0.7:4000');
    expect([shown(outbound), shown(inbound)]).to.deep.equal([['127.0.0.1:4000'], ['10.0.0.7:4000']]);
    expect(advertised.http).to.deep.equal(inbound[0]);
  });

  it('take any other address of 127.0.0.0/8 for inbound, so that several sidecars fit on one machine', async () => {
    expect(shown((await planAt('127.0.0.2:4000')).inbound)).to.deep.equal(['127.0.0.2:4000']);
  });

  for (const loopback of ['127.0.0.1:4000', 'localhost:4000']) {
    it(`have no inbound one, and nothing to register, at ${loopback}`, async () => {
      const { outbound, inbound, advertised } = await planAt(loopback);
      expect(shown(outbound)).to.deep.equal(['127.0.0.1:4000']);
      expect([inbound, advertised.http]).to.deep.equal([[], undefined]);
    });
  }

  it('are on ::1 and 127.0.0.1 for an IPv6 address, since applications know the one or the other', async () => {
    const { outbound, inbound } = await planAt('[2001:db8::7]:4000');
    expect(outbound.map(({ host, optional }) => [host, optional])).to.deep.equal([
      ['::1', false],
      ['127.0.0.1', true],
    ]);
    expect(shown(inbound)).to.deep.equal(['[2001:db8::7]:4000']);
    expect((await planAt('[::1]:4000')).inbound).to.deep.equal([]);
  });

  it('are registered at the advertised address, where others reach them through a translation', async () => {
    const { inbound, advertised } = await plan(
      'servicecomb.protocols.http: { listenAddress: "10.0.0.7:4000", advertiseAddress: "203.0.113.9:80" }\n',
    );
    expect(shown(inbound)).to.deep.equal(['10.0.0.7:4000']);
    expect(advertised.http).to.deep.equal({ host: '203.0.113.9', port: 80 });
  });

  it('are for gRPC as soon as anything is configured for it: on 127.0.0.1:40101 unless another address is', async () => {
    const usual = await plan('servicecomb.protocols.grpc.advertiseAddress: "10.0.0.7:50"\n');
    expect([shown(usual.outbound), shown(usual.inbound)]).to.deep.equal([['127.0.0.1:30101', '127.0.0.1:40101'], []]);
    expect(usual.advertised.grpc, 'nothing to register without an inbound one').to.equal(undefined);
    const chosen = await plan(
      'servicecomb.protocols: { http: { listenAddress: "10.0.0.7:4000" }, grpc: { listenAddress: "10.0.0.7:5000", advertiseAddress: "203.0.113.9:50" } }\n',
    );
    expect(shown(chosen.outbound)).to.deep.equal(['127.0.0.1:4000', '127.0.0.1:5000']);
    expect(shown(chosen.inbound)).to.deep.equal(['10.0.0.7:4000', '10.0.0.7:5000']);
    expect(chosen.advertised.grpc).to.deep.equal({ host: '203.0.113.9', port: 50 });
    expect(chosen.outbound.map(({ isForGrpc }) => isForGrpc)).to.deep.equal([false, true]);
  });

  it('are one for both protocols at one address, since each listener tells them apart', async () => {
    const { outbound, inbound, advertised } = await plan(
      'servicecomb.protocols: { http: { listenAddress: "10.0.0.7:4000" }, grpc: { listenAddress: "10.0.0.7:4000" } }\n',
    );
    expect([shown(outbound), shown(inbound)]).to.deep.equal([['127.0.0.1:4000'], ['10.0.0.7:4000']]);
    expect(advertised.grpc).to.deep.equal(advertised.http);
  });

  it('are needed where one of the protocols needs them, although they are a courtesy of the other', async () => {
    const { outbound } = await plan(
      'servicecomb.protocols: { http: { listenAddress: "[2001:db8::7]:4000" }, grpc: { listenAddress: "10.0.0.7:4000" } }\n',
    );
    const shared = { host: '127.0.0.1', port: 4000, optional: false, isForGrpc: false };
    expect(outbound).to.deep.include(shared).and.to.have.length(2);
  });

  it('leave the admin port out when it is switched off, and move it where it is configured', async () => {
    expect((await plan('admin.enable: false\n')).admin).to.equal(undefined);
    const { admin } = await plan('servicecomb.protocols.rest-admin.listenAddress: "127.0.0.1:9999"\n');
    expect(admin).to.deep.equal({ host: '127.0.0.1', port: 9999 });
  });

  it('name the protocols that this version does not listen for', async () => {
    const { ignored } = await plan(
      'servicecomb.protocols: { http: {}, grpc: { listenAddress: "127.0.0.1:40101" }, dubbo: { listenAddress: "127.0.0.1:30201" } }\n',
    );
    expect(ignored).to.deep.equal(['dubbo']);
  });

  const refused: readonly (readonly [address: string, reason: RegExp])[] = [
    ['0.0.0.0:30101', /does not listen on 0\.0\.0\.0: .* told apart by the address.*10\.0\.0\.7:30101/],
    ['[::]:30101', /does not listen on ::/],
    ['my-machine:30101', /'my-machine' is not an IP address/],
    ['[0:0:0:0:0:0:0:0]:30101', /does not listen on ::/],
    ['[::ffff:0.0.0.0]:30101', /does not listen on 0\.0\.0\.0/],
    ['255.255.255.255:30101', /means all machines/],
    ['10.0.0.7:0', /write a port from 1 to 65535/],
  ];
  for (const [address, reason] of refused) {
    it(`refuse ${address} and say why`, async () => {
      const document = await documentOf({
        'chassis.yaml': `servicecomb.protocols.http.listenAddress: "${address}"\n`,
      });
      const attempt = (): ListenPlan => planListeners(document);
      expect(attempt)
        .to.throw(reason)
        .that.satisfies((error: unknown) => isMeshError(error, 'MESH_ERR_LISTEN_ADDRESS'));
    });
  }

  it('refuse an address for gRPC that cannot serve, and name its key', async () => {
    const document = await documentOf({
      'chassis.yaml': 'servicecomb.protocols.grpc.listenAddress: "0.0.0.0:40101"\n',
    });
    expect(() => planListeners(document)).to.throw(
      /^servicecomb\.protocols\.grpc\.listenAddress: a sidecar does not listen/,
    );
  });

  const contradictions: readonly (readonly [what: string, yaml: string, reason: RegExp])[] = [
    [
      'an admin port that is the outbound one',
      'servicecomb.protocols.http.listenAddress: "127.0.0.2:30102"\n',
      /rest-admin.*127\.0\.0\.1:30102 is already the address of .*outbound/,
    ],
    [
      'an admin port that is the one for gRPC',
      'servicecomb.protocols.grpc.listenAddress: "127.0.0.1:30102"\n',
      /rest-admin.*127\.0\.0\.1:30102 is already the address of servicecomb\.protocols\.grpc.*outbound/,
    ],
    [
      'a listener at the address for gRPC',
      'servicecomb.protocols.grpc: {listenAddress: "127.0.0.7:40101"}\nmesher.listeners: [{listen: "127.0.0.7:40101", service: a}]\n',
      /listeners\[0\]\.listen: 127\.0\.0\.7:40101 is already the address of servicecomb\.protocols\.grpc/,
    ],
    [
      'an admin port that others reach',
      'servicecomb.protocols.rest-admin.listenAddress: "0.0.0.0:30102"\n',
      /admin\.allowRemote/,
    ],
    [
      'two listeners on one address',
      'mesher.listeners: [{listen: "127.0.0.1:5000", service: a}, {listen: "localhost:5000", service: b}]\n',
      /listeners\[1\]\.listen: 127\.0\.0\.1:5000 is already the address of mesher\.listeners\[0\]/,
    ],
    [
      'a listener that lets every machine call out',
      'mesher.listeners: [{listen: "0.0.0.0:5000", service: a}]\n',
      /every machine/,
    ],
    ['a listener by host name', 'mesher.listeners: [{listen: "here:5000", service: a}]\n', /'here' is not an IP/],
    [
      'a listener whose target is itself',
      'mesher.listeners: [{listen: "127.0.0.6:6000", target: "127.0.0.6:6000"}]\n',
      /round in circles/,
    ],
  ];
  for (const [what, yaml, reason] of contradictions) {
    it(`refuse ${what}`, async () => {
      const document = await documentOf({ 'chassis.yaml': yaml });
      expect(() => planListeners(document)).to.throw(reason);
    });
  }
});
