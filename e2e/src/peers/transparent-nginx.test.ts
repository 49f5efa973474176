import { expect } from 'chai';
import { createHash, randomBytes } from 'node:crypto';
import { makeSelfSigned } from '@mesher/core/testing';
import { requireProgram } from '../support/command.js';
import { startPeer } from '../support/peer-server.js';
import { ADDRESSES, FAMILIES, inUrl, useTransparentScene, USUAL_WAY, type Way } from '../support/transparent-scene.js';
import type { TransparentSidecar } from '../support/transparent-sidecar.js';

const WAYS: readonly Way[] = [USUAL_WAY, { backend: 'nft', inbound: 'TPROXY' }];
const FILE = randomBytes(10_000_000);
const SUM = createHash('sha256').update(FILE).digest('hex');

describe('nginx between two transparent sidecars', () => {
  const scene = useTransparentScene('curl', 'nginx');
  let near: TransparentSidecar, far: TransparentSidecar;

  before(async function () {
    requireProgram(this, 'nginx', '-v');
    const { folder } = scene();
    const { cert, key } = makeSelfSigned('secure.example', 'secure.example');
    const files = [await scene().write('cert.pem', cert), await scene().write('key.pem', key)];
    await scene().write('file', FILE);
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (kind) => `${kind}_temp_path ${folder}/${kind};`,
    );
    const config = await scene().write(
      'nginx.conf',
      `daemon off; master_process off; pid ${folder}/nginx.pid; error_log stderr warn;
events { worker_connections 512; }
http {
  access_log off; sendfile on; ${paths.join(' ')} root ${folder};
  server { listen 80; listen [::]:80; listen 443 ssl http2; listen [::]:443 ssl http2; ssl_certificate ${files[0]}; ssl_certificate_key ${files[1]}; }
  server { listen 81 http2; listen [::]:81 http2; }
}
`,
    );
    await startPeer(scene().far, 'nginx', ['-p', folder, '-c', config], { port: 80 });
  });

  for (const way of WAYS) {
    describe(`with ${way.backend}, ${way.inbound} inbound`, () => {
      before(async () => {
        [near, far] = await scene().bothSidecars(way);
      });

      for (const family of FAMILIES) {
        const host = inUrl(ADDRESSES.far[family]);

        it(`serves a file to curl over HTTP/1, HTTP/2 and TLS, whole and in parts, over ${family}`, async () => {
          const named = ['--cacert', scene().path('cert.pem'), '--connect-to', `secure.example:443:${host}:443`];
          for (const args of [
            [`http://${host}/file`],
            ['--http2-prior-knowledge', `http://${host}:81/file`],
            ['--http2', ...named, 'https://secure.example/file'],
          ]) {
            const get = ['-c', 'curl -sS --fail --max-time 20 "$@" | sha256sum', 'sh', ...args];
            expect(await scene().call('sh', ...get)).to.include(SUM);
          }
          const ranges = ['-r', '0-99,5000000-5000099', '-o', '/dev/null', '-w', '%{http_code}'];
          expect(await scene().call('curl', '-sS', ...ranges, `http://${host}/file`)).to.equal('206');
        });

        it(`serves many streams of one HTTP/2 connection, over ${family}`, async function () {
          requireProgram(this, 'h2load');
          const load = await scene().call('h2load', '-n', '500', '-c', '2', '-m', '20', `http://${host}:81/cert.pem`);
          expect(load).to.match(/500 succeeded, 0 failed, 0 errored/);
        });
      }

      it('is told apart by what its clients say', async () => {
        for (const sidecar of [near, far]) {
          const seen = async (protocol: string): Promise<number> =>
            await sidecar.connections({ protocol, verdict: 'passed' });
          expect(await seen('http1')).to.equal(4);
          expect(await seen('tls')).to.equal(2);
          expect((await seen('http2')) + (await seen('server-first'))).to.be.greaterThan(1);
        }
      });
    });
  }
});
