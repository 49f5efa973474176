import { Rejection } from '@mesher/core';
import { expect } from 'chai';
import { useProxyRig } from '../testing/proxy-rig.js';

function request(fields: string, method = 'GET'): string {
  return `${method} / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
}

describe('answers that Mesher makes itself', () => {
  const rig = useProxyRig();

  async function reply(
    rejection: Rejection,
    head: string,
    requestIdField = 'x-request-id',
  ): Promise<{ head: string; body: string }> {
    const proxy = await rig().proxy({
      handler: {
        begin: (call) => {
          call.destination = { service: 'orders' };
          call.requestIdField = requestIdField;
          return rejection;
        },
      },
    });
    const client = await rig().send(proxy, head.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
    await client.awaitEnd();
    expect(proxy.outcomes[0]).to.include({ status: rejection.status, code: rejection.code, attempts: 0 });
    const end = client.text.indexOf('\r\n\r\n') + 4;
    return { head: client.text.slice(0, end), body: client.received.subarray(end).toString('utf8') };
  }

  it('are JSON with code, message, service, request id and a hint, and name the code in x-mesher-error', async () => {
    const { head, body } = await reply(
      new Rejection('MESH_ERR_NO_INSTANCE', 'No instance of orders is up', 3),
      request('X-Request-Id: r-1\r\n'),
    );
    expect(head).to.match(/^HTTP\/1\.1 503 Service Unavailable\r\n/);
    expect(head).to.contain('\r\ncontent-type: application/json; charset=utf-8\r\n');
    expect(head).to.contain(`\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`);
    expect(head).to.contain('\r\nx-mesher-error: MESH_ERR_NO_INSTANCE\r\n');
    expect(head).to.contain('\r\nretry-after: 3\r\n');
    expect(head).to.contain('\r\nx-request-id: r-1\r\n');
    expect(JSON.parse(body)).to.deep.equal({
      code: 'MESH_ERR_NO_INSTANCE',
      message: 'No instance of orders is up',
      service: 'orders',
      requestId: 'r-1',
      hint: new Rejection('MESH_ERR_NO_INSTANCE').hint,
    });
  });

  it('repeat the id of the request in the field that it stands in', async () => {
    const fields = 'X-Trace: t-1\r\nX-Request-Id: of somebody else\r\n';
    const { head, body } = await reply(new Rejection('MESH_ERR_DENIED'), request(fields), 'x-trace');
    expect(head).to.contain('\r\nx-trace: t-1\r\n').and.not.to.contain('x-request-id');
    expect(JSON.parse(body)).to.include({ requestId: 't-1' });
  });

  it('have no retry-after when the rejection names no time', async () => {
    const { head } = await reply(new Rejection('MESH_ERR_DENIED'), request(''));
    expect(head).to.match(/^HTTP\/1\.1 403 Forbidden\r\n/);
    expect(head).to.not.contain('retry-after');
  });

  for (const [accept, type] of [
    ['text/plain', 'text/plain'],
    ['text/html, text/plain;q=0.9', 'text/plain'],
    ['text/plain, application/json', 'application/json'],
    ['*/*', 'application/json'],
    ['application/json', 'application/json'],
    ['application/xml', 'application/json'],
  ]) {
    it(`are ${type} for a client that accepts ${accept}`, async () => {
      const { head, body } = await reply(
        new Rejection('MESH_ERR_NO_ROUTE', 'No service x'),
        request(`Accept: ${accept}\r\n`),
      );
      expect(head).to.contain(`\r\ncontent-type: ${type}; charset=utf-8\r\n`);
      if (type === 'text/plain') {
        expect(body).to.equal(`MESH_ERR_NO_ROUTE: No service x\n${new Rejection('MESH_ERR_NO_ROUTE').hint}\n`);
      } else expect(JSON.parse(body)).to.include({ code: 'MESH_ERR_NO_ROUTE' });
    });
  }

  it('have no body for HEAD, but its length', async () => {
    const { head, body } = await reply(new Rejection('MESH_ERR_NO_ROUTE'), request('', 'HEAD'));
    expect(body).to.equal('');
    expect(head).to.match(/\r\ncontent-length: [1-9]\d+\r\n/);
  });

  it('carry text outside ASCII as UTF-8', async () => {
    const { head, body } = await reply(new Rejection('MESH_ERR_NO_ROUTE', 'Kein Dienst für „x“'), request(''));
    expect((JSON.parse(body) as { message: string }).message).to.equal('Kein Dienst für „x“');
    expect(head).to.contain(`\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`);
  });

  it('leave the connection open for the next request', async () => {
    const proxy = await rig().proxy({ handler: { begin: () => new Rejection('MESH_ERR_NO_ROUTE') } });
    const client = await rig().connect(proxy);
    for (let i = 1; i <= 3; i++) {
      client.write(request(''));
      await client.readUntil(new RegExp(`(HTTP/1.1 404 [^]*"hint"[^]*){${i}}`));
    }
    expect(proxy.proxy.stats.connectionsAccepted).to.equal(1);
  });
});
