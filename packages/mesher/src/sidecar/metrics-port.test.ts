import { expect } from 'chai';
import { MetricsPage, METRICS, SmallFamily } from '@mesher/core';
import { RecordingLogger, fakePorts } from '@mesher/core/testing';
import type { BoundedServer } from '@mesher/admin';
import { request } from 'node:http';
import { makeMetricsPort } from './metrics-port.js';

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

function ask(port: number, method: string, path: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    sent.on('error', reject).end();
  });
}

describe('the port for metrics', () => {
  let server: BoundedServer | undefined;
  afterEach(() => server?.close());

  async function open(host = '127.0.0.1'): Promise<number> {
    const family = new SmallFamily(METRICS.seriesDropped, () => [{ labels: {}, value: 7 }]);
    const page = new MetricsPage([family]);
    server = makeMetricsPort({ host, port: 0, page, timers: fakePorts().timers, logger: new RecordingLogger() });
    return (await server.listen()).port;
  }

  it('answers every path with the page, and HEAD without it', async () => {
    const port = await open();
    for (const path of ['/', '/metrics', '/any/thing?x=1']) {
      const { body, headers, status } = await ask(port, 'GET', path);
      expect(status).to.equal(200);
      expect(headers['content-type']).to.match(/^text\/plain; version=/);
      expect(body).to.contain('mesher_series_dropped_total 7');
    }
    const head = await ask(port, 'HEAD', '/metrics');
    expect([head.status, head.body]).to.deep.equal([200, '']);
    expect(Number(head.headers['content-length'])).to.be.greaterThan(100);
  });

  it('takes no other method', async () => {
    const { headers, status } = await ask(await open(), 'POST', '/metrics');
    expect([status, headers['allow']]).to.deep.equal([405, 'GET, HEAD']);
  });

  it('on loopback refuses web pages that call it by a name of their own; elsewhere it goes by any name', async () => {
    const port = await open();
    expect((await ask(port, 'GET', '/', { host: 'evil.example' })).status).to.equal(403);
    expect((await ask(port, 'GET', '/', { host: `localhost:${port}` })).status).to.equal(200);
    await server?.close();
    expect((await ask(await open('0.0.0.0'), 'GET', '/', { host: 'shop.prod:14958' })).status).to.equal(200);
  });
});
