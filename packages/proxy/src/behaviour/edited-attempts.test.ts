import type { Invocation } from '@mesher/core';
import { expect } from 'chai';
import { answerEach, answerOf } from '../testing/proxy-harness.js';
import { useProxyRig } from '../testing/proxy-rig.js';

describe('a header edit between two attempts', () => {
  const rig = useProxyRig();

  it('is in the second one, in place of what was there, and the rest of the head is as before', async () => {
    const heads: string[] = [];
    const edit = (call: Invocation): void => {
      call.setHeader('x-mesher-attempt', String(call.attempts + 1));
      call.setHeader('x-mesher-timeout-ms', '90');
    };
    const { upstream, proxy } = await rig().pair(
      (peer) =>
        answerEach(peer, () => {
          heads.push(peer.text);
          return heads.length < 3 ? answerOf('no', 'HTTP/1.1 503 Busy\r\n') : answerOf('yes');
        }),
      {
        handler: {
          begin: (call) => {
            call.watchesAnswer = true;
            call.setHeader('x-mesher-timeout-ms', '200');
            return proxy.endpoint;
          },
          answered: (call, { status }) => {
            if (status !== 503) return undefined;
            edit(call);
            return proxy.endpoint;
          },
        },
      },
    );
    const client = await rig().send(proxy, 'GET / HTTP/1.1\r\nHost: a\r\nX-Mesher-Timeout-Ms: 999\r\nx-b: c\r\n\r\n');
    await client.readUntil('yes');
    const [connection] = upstream.connections;
    expect(connection?.text.split('\r\n\r\n').slice(0, 3)).to.deep.equal([
      'GET / HTTP/1.1\r\nHost: a\r\nx-b: c\r\nx-mesher-timeout-ms: 200',
      'GET / HTTP/1.1\r\nHost: a\r\nx-b: c\r\nx-mesher-attempt: 2\r\nx-mesher-timeout-ms: 90',
      'GET / HTTP/1.1\r\nHost: a\r\nx-b: c\r\nx-mesher-attempt: 3\r\nx-mesher-timeout-ms: 90',
    ]);
  });
});
