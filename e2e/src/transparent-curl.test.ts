import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { requireCurl } from './support/command.js';
import { requireNetworkNamespaces } from './support/network-namespaces.js';
import { ADDRESSES, FAMILIES, inUrl, useTransparentScene, USUAL_WAY, WAYS } from './support/transparent-scene.js';
import type { TransparentSidecar } from './support/transparent-sidecar.js';

/** What the application says of a request. */
interface Said {
  readonly httpVersion: string;
  readonly method: string;
  readonly length: number;
  readonly sha256: string;
  /** How many requests its connection has carried, this one included. */
  readonly number: number;
  readonly expectation: string;
}

/** The last connections of a sidecar, as its admin API tells of them. */
interface Recent {
  readonly connections: readonly { readonly protocol?: string; readonly host?: string }[];
}

/** More than curl sends without being told to go on (1 MB). */
const LARGE = Buffer.alloc(3_000_000, 'a mesh of bytes ');

/** Twenty requests at once on one connection. curl 7.88 cannot do that with prior knowledge, with or without a proxy. */
const MANY_STREAMS = `
const [url, size] = process.argv.slice(1);
const session = require('node:http2').connect(url);
const get = () => new Promise((resolve, reject) => {
  let length = 0;
  session.request({ ':path': '/bytes?' + size }).on('data', (chunk) => (length += chunk.length)).on('end', () => resolve(length)).on('error', reject);
});
Promise.all(Array.from({ length: 20 }, get)).then((sizes) => { process.stdout.write(sizes.join(' ') + ' '); session.close(); });
`;

describe('curl between two transparent sidecars', () => {
  const scene = useTransparentScene('curl');
  let near: TransparentSidecar, far: TransparentSidecar;
  let upload: string;

  before(async () => {
    await scene().startApp('far');
    upload = await scene().write('upload', LARGE);
  });

  async function curl(...args: readonly string[]): Promise<string> {
    return await scene().call('curl', '-sS', '--max-time', '20', ...args);
  }

  async function said(...args: readonly string[]): Promise<Said[]> {
    const lines = (await curl(...args)).trim().split('\n');
    return lines.map((line) => JSON.parse(line) as Said);
  }

  /** Stories that hold whether requests pass as bytes or are seen one by one. */
  function stories(): void {
    for (const family of FAMILIES) {
      const address = ADDRESSES.far[family];
      const http1 = `http://${inUrl(address)}:8080`;

      it(`keeps one connection for several requests over ${family}`, async () => {
        const told = await said(`${http1}/a`, `${http1}/b`, `${http1}/c`);
        expect(told.map(({ number }) => number)).to.deep.equal([1, 2, 3]);
        const quiet = ['-o', '/dev/null', '-o', '/dev/null', '-w', '%{num_connects} '];
        expect(await curl(...quiet, http1, http1), 'seen by the client').to.equal('1 0 ');
      });

      it(`uploads after "100 Continue", and takes a refusal before it has sent anything, over ${family}`, async () => {
        const output = await curl('-v', '--stderr', '-', '-T', upload, `${http1}/in`);
        expect(output).to.match(/< HTTP\/1.1 100 Continue\r?\n/);
        const [, json = ''] = /^(\{.*\})$/m.exec(output) ?? [];
        const { length, sha256, expectation } = JSON.parse(json) as Said;
        expect({ length, sha256, expectation }).to.deep.equal({ ...digest(), expectation: 'expected' });
        const refused = await curl('-w', '%{http_code} %{size_upload}', '-T', upload, `${http1}/refuse`);
        expect(refused).to.equal('too much\n413 0');
      });

      it(`speaks HTTP/2 with prior knowledge, many streams on one connection, over ${family}`, async () => {
        const http2 = `http://${inUrl(address)}:8081`;
        const [told] = await said('--http2-prior-knowledge', '-T', upload, `${http2}/1`);
        expect(told).to.include({ ...digest(), httpVersion: '2.0' });
        const size = 200_000;
        const sizes = await scene().call(process.execPath, '-e', MANY_STREAMS, http2, String(size));
        expect(sizes).to.equal(`${size} `.repeat(20));
      });

      it(`speaks HTTP/1 and HTTP/2 over TLS that nobody but the server decrypts, over ${family}`, async () => {
        const tls = [
          '--cacert',
          scene().path('cert.pem'),
          '--connect-to',
          `secure.example:8443:${inUrl(address)}:8443`,
        ];
        const url = 'https://secure.example:8443/';
        expect((await said(...tls, '--http1.1', url, url)).map(({ number }) => number)).to.deep.equal([1, 2]);
        const [told] = await said(...tls, '--http2', '-T', upload, `${url}up`);
        expect(told).to.include({ ...digest(), httpVersion: '2.0' });
        const wrongName = await scene().attempt(
          'curl',
          '-sS',
          ...tls,
          '-k',
          '--resolve',
          `other.example:8443:${address}`,
          'https://other.example:8443/',
        );
        expect(JSON.parse(wrongName.stdout)).to.include({ name: 'far' });
      });
    }
  }

  for (const way of WAYS) {
    describe(`with ${way.backend}, ${way.inbound} inbound, whose bytes pass`, () => {
      before(async function () {
        requireNetworkNamespaces(this, way.backend);
        requireCurl(this, 'HTTP2');
        [near, far] = await scene().bothSidecars(way);
      });

      stories();

      it('are told apart by what they say', async () => {
        for (const [sidecar, direction] of [
          [near, 'outbound'],
          [far, 'inbound'],
        ] as const) {
          const seen = async (protocol: string): Promise<number> =>
            await sidecar.connections({ direction, protocol, verdict: 'passed' });
          expect(await seen('http1'), direction).to.equal(8);
          expect(await seen('tls'), direction).to.equal(6);
          // Though a server of HTTP/2 may send its SETTINGS before it has heard anything.
          expect(await seen('http2'), direction).to.equal(4);
          const { connections } = (await sidecar.admin('/v1/mesher/transparent/connections')) as Recent;
          const names = connections.flatMap(({ protocol, host = '' }) => (protocol === 'tls' ? [host] : []));
          // Newest first: two runs of the story, whose third connection asks for another name.
          const asked = ['other.example', 'secure.example', 'secure.example'];
          expect(names, direction).to.deep.equal([...asked, ...asked]);
        }
      });
    });
  }

  describe('whose requests are seen one by one', () => {
    before(async function () {
      requireCurl(this, 'HTTP2');
      [near, far] = await scene().bothSidecars(USUAL_WAY, { mesher: { 'transparent.requests': 'serve' } });
    });

    stories();
  });

  function digest(): Pick<Said, 'length' | 'sha256'> {
    return { length: LARGE.length, sha256: createHash('sha256').update(LARGE).digest('hex') };
  }
});
