import { expect } from 'chai';
import { RecordingLogger } from '@mesher/core/testing';
import { systemPorts } from '@mesher/core';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { loadFiles } from '../testing/conf-folder.js';
import { ProfilesPort } from './profiles-port.js';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function ask(url: string, host?: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    request(url, { agent: false, headers: host === undefined ? {} : { host } }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    })
      .on('error', reject)
      .end();
  });
}

describe('the port for profiles', () => {
  let port: ProfilesPort | undefined;
  afterEach(() => port?.close());

  async function open(yaml = ''): Promise<{ url: string; logger: RecordingLogger }> {
    const listen = `127.0.0.1:${await freePort()}`;
    const loaded = await loadFiles({ 'chassis.yaml': `pprof: { enable: true, listen: '${listen}'${yaml} }` });
    const { document } = loaded.configuration;
    if (document === undefined) throw new Error('the configuration is wrong');
    const logger = new RecordingLogger();
    port = new ProfilesPort(document.pprof, systemPorts(), logger);
    return { url: (await port.server.listen()).url, logger };
  }

  it('says what there is', async () => {
    const { url } = await open(', maxDuration: 5s');
    for (const path of ['/', '/debug/pprof', '/debug/pprof/']) {
      const { body, status } = await ask(`${url}${path}`);
      expect(status).to.equal(200);
      expect(body).to.contain('/debug/pprof/profile').and.to.contain('up to 5 s');
    }
  });

  it('refuses web pages that call it by a name of their own', async () => {
    const { url } = await open();
    expect((await ask(url, 'evil.example')).status).to.equal(403);
    expect((await ask(url, 'localhost')).status).to.equal(200);
  });

  it('gives up a profile when it is closed, and does not keep the process', async () => {
    const { url, logger } = await open();
    const profile = ask(`${url}/debug/pprof/profile?seconds=60`);
    while (logger.lines.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await port?.close();
    // What was sampled until then, since its client is still there.
    expect((await profile).status).to.equal(200);
  });
});
