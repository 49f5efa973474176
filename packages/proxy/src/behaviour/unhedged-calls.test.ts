import { expect } from 'chai';
import { HEDGED, hedgedPair } from '../testing/hedged-calls.js';
import { answerOf } from '../testing/proxy-harness.js';
import { settleSockets, useProxyRig } from '../testing/proxy-rig.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const PUT = 'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nbegin';

describe('a slow call', () => {
  const rig = useProxyRig();

  for (const [what, request, options] of [
    ['its body is not complete', PUT.replace('5', '9'), {}],
    ['its body is too large to be kept', PUT, { maxReplayBytes: 4 }],
    ['it asks for another protocol', 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n', {}],
    ['it is a CONNECT', 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n', {}],
  ] as const) {
    it(`has no second attempt when ${what}`, async () => {
      const { proxy, one, told } = await hedgedPair(rig(), { options });
      const client = await rig().send(proxy, request);
      const first = await one.awaitConnection();
      if (!request.startsWith('CONNECT')) await first.readUntil(request.slice(-5));
      rig().pass(1000);
      expect(told).to.deep.equal([]);
      client.destroy();
      await settleSockets();
      rig().time.advance(1000);
      await proxy.awaitOutcomes(1);
    });
  }

  it('has no second attempt when its body, kept for the connection that is still being made, is too large to be kept after it', async () => {
    const made = await hedgedPair(rig(), {
      options: { maxReplayBytes: 4 },
      // Before the event loop turns, no connection can have been made.
      onBegin: () => process.nextTick(() => rig().time.advance(HEDGED)),
    });
    const client = await rig().send(made.proxy, PUT);
    const first = await made.one.awaitConnection();
    await first.readUntil('begin');
    expect(made.told).to.deep.equal([]);
    expect(made.two.connections).to.have.lengthOf(0);
    first.write(answerOf('stored'));
    await client.readUntil('stored');
  });

  it('has no second attempt when the handler names no endpoint, or throws', async () => {
    const boom = (): never => {
      throw new Error('broken plugin');
    };
    for (const hedge of [() => undefined, boom]) {
      const made = await hedgedPair(rig(), { handler: { hedge } });
      const client = await rig().send(made.proxy, GET);
      const first = await made.one.awaitConnection();
      await first.readUntil('\r\n\r\n');
      rig().pass(1000);
      first.write(answerOf('alone'));
      await client.readUntil('alone');
      expect(made.told).to.deep.equal(['hedge']);
    }
  });

  it('does not stand in line with its second attempt', async () => {
    const made = await hedgedPair(rig(), {
      options: { maxConnectionsPerEndpoint: 1 },
      handler: { hedge: (call) => call.endpoint },
    });
    const client = await rig().send(made.proxy, GET);
    const first = await made.one.awaitConnection();
    await first.readUntil('\r\n\r\n');
    rig().pass(1000);
    expect(made.told).to.deep.equal(['hedge', 'lost one MESH_ERR_OVERLOADED, left one']);
    first.write(answerOf('alone'));
    await client.readUntil('alone');
  });
});
