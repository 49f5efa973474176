import { expect } from 'chai';
import { answerEach, answerOf } from '../testing/proxy-harness.js';
import { useProxyRig } from '../testing/proxy-rig.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

describe('fields that a policy takes out of an answer', () => {
  const rig = useProxyRig();

  it('do not reach the client, whatever their case; those that the policy adds and those that frame the answer do', async () => {
    const own = 'HTTP/1.1 200 OK\r\nX-Powered-By: me\r\nx-powered-by: you\r\nX-Kept: 1\r\nServer: old\r\n';
    const { proxy } = await rig().pair((peer) => answerEach(peer, () => answerOf('hi', own)), {
      handler: {
        begin: (call) => {
          for (const name of ['x-powered-by', 'server', 'content-length', 'transfer-encoding', 'not a name']) {
            call.removeResponseField(name);
          }
          call.addResponseField('Server', 'new');
          return proxy.endpoint;
        },
      },
    });
    const client = await rig().send(proxy, GET);
    await client.readUntil('hi');
    expect(client.text).to.match(/^HTTP\/1\.1 200 OK\r\nX-Kept: 1\r\nContent-Length: 2\r\nServer: new\r\n\r\nhi/);
    expect(client.text).not.to.match(/powered|old/i);
  });
});
