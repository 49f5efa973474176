import { Rejection, type AttemptFailure, type Verdict } from '@mesher/core';
import { expect } from 'chai';
import { NOWHERE } from '../testing/proxy-harness.js';
import { settleSockets, until, useProxyRig } from '../testing/proxy-rig.js';

const DESTINATION = { service: 'db' };

describe('limits of a relayed connection', () => {
  const rig = useProxyRig();

  it('end with the connection: what the peers do with it takes as long as it takes', async () => {
    const { upstream, proxy } = await rig().pair(undefined, {
      destination: DESTINATION,
      handler: {
        begin: (call) => {
          call.deadlineAt = call.startedAt + 100;
          call.tryTimeout = 50;
          return proxy.endpoint;
        },
      },
    });
    const client = await rig().connect(proxy);
    const peer = await upstream.awaitConnection();
    peer.write('hello');
    await client.readUntil('hello');
    rig().pass(10_000);
    client.write('\x00still here');
    await peer.readUntil('still here');
    await until(() => proxy.proxy.stats.bytesToUpstream > 0);
    const [call] = [...proxy.ends.keys()];
    expect(call).to.include({ requestBytes: 11, responseBytes: 5 });
  });

  for (const [what, begin] of [
    ['while it is being connected', (): Verdict => NOWHERE],
    ['while its decision is being waited for', (): Promise<Verdict> => new Promise(() => {})],
  ] as const) {
    it(`reset a client ${what} once the deadline has passed, and nothing is tried again`, async () => {
      const failures: AttemptFailure[] = [];
      const proxy = await rig().proxy({
        destination: DESTINATION,
        options: { refusalGrace: 0 },
        handler: {
          begin: (call) => {
            call.deadlineAt = call.startedAt + 100;
            // Before the event loop turns, the way to nowhere has not been found missing.
            process.nextTick(() => rig().pass(100));
            return begin();
          },
          again: (_call, failure) => {
            failures.push(failure);
            return new Rejection(failure.code);
          },
        },
      });
      // The reset may be there before the client knows that it is connected.
      await rig()
        .connect(proxy)
        .then(
          (client) => client.awaitEnd(),
          () => undefined,
        );
      await proxy.awaitOutcomes(1);
      expect(proxy.outcomes[0]).to.include({ code: 'MESH_ERR_TIMEOUT', aborted: false });
      expect(failures).to.deep.equal([]);
    });
  }

  it('do not let bytes wait that tell nothing because one more comes from time to time', async () => {
    const { upstream, proxy } = await rig().pair(undefined, {
      destination: DESTINATION,
      options: { detectTimeout: 1000 },
    });
    const client = await rig().connect(proxy);
    const peer = await upstream.awaitConnection();
    for (const letter of 'GETS') {
      expect(peer.length).to.equal(0);
      client.write(letter);
      await settleSockets();
      rig().time.advance(300);
    }
    await peer.readUntil('GETS');
  });

  it('give each attempt to connect its own time', async () => {
    const failures: AttemptFailure[] = [];
    const { upstream, proxy } = await rig().pair(undefined, {
      destination: DESTINATION,
      handler: {
        begin: (call) => {
          call.tryTimeout = 100;
          process.nextTick(() => rig().time.advance(150));
          return NOWHERE;
        },
        again: (_call, failure) => {
          failures.push(failure);
          return proxy.endpoint;
        },
      },
    });
    const client = await rig().connect(proxy);
    client.write('\x00hello');
    await (await upstream.awaitConnection()).readUntil('hello');
    expect(failures.map(({ message }) => message)).to.deep.equal(['connect to 192.0.2.1:9 took longer than 100 ms']);
  });

  it('that have passed when the decision comes keep it from being connected', async () => {
    const { upstream, proxy } = await rig().pair(undefined, {
      destination: DESTINATION,
      options: { refusalGrace: 0 },
      handler: {
        begin: (call) => {
          call.deadlineAt = call.startedAt;
          return proxy.endpoint;
        },
      },
    });
    const client = await rig().connect(proxy);
    await until(() => proxy.ends.size === 1);
    rig().pass(100);
    await client.awaitEnd();
    await settleSockets();
    expect(upstream.connections).to.have.lengthOf(0);
    expect(proxy.outcomes[0]).to.include({ code: 'MESH_ERR_TIMEOUT', attempts: 0 });
  });
});
