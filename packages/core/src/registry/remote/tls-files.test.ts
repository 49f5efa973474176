import { expect } from 'chai';
import { loadConfiguration } from '../../config/load.js';
import { MeshError } from '../../errors.js';
import { registryClientOf } from '../../plugin/registry-client.js';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readRegistryTls, type RegistryTls } from './tls-files.js';

describe('TLS to a registry', () => {
  let confDir: string;
  const pem = (name: string): string => `-----BEGIN CERTIFICATE-----\n${name}\n`;

  beforeEach(async () => {
    confDir = await mkdtemp(join(tmpdir(), 'mesher-tls-'));
    for (const name of ['ca.pem', 'all.pem', 'key.pem']) await writeFile(join(confDir, name), pem(name));
    await writeFile(join(confDir, 'no-certificate.pem'), 'hello');
    await writeFile(join(confDir, 'password'), 'secret\n');
  });

  afterEach(() => rm(confDir, { recursive: true, force: true }));

  async function read(ssl: string): Promise<RegistryTls> {
    await writeFile(join(confDir, 'tls.yaml'), `ssl:\n${ssl}`);
    await writeFile(join(confDir, 'microservice.yaml'), 'servicecomb.service.name: caller\n');
    const { document, errors } = await loadConfiguration({ confDir, env: {} });
    if (document === undefined) throw new Error(JSON.stringify(errors));
    return await readRegistryTls(registryClientOf(document).ssl, confDir, (text) => new MeshError('SETTING', text));
  }

  it('is what stands under the tag of the registry, over what stands for everybody', async () => {
    const tls = await read(
      '  caFile: all.pem\n  keyFile: key.pem\n  registry.Consumer.caFile: ca.pem\n  registry.Consumer.serverName: sc\n' +
        '  registry.Consumer.certPwdFile: password\n  other.Consumer.caFile: nowhere.pem\n',
    );
    expect([tls.ca, tls.key].map(String)).to.deep.equal([pem('ca.pem'), pem('key.pem')]);
    expect(tls).to.include({ servername: 'sc', passphrase: 'secret', minVersion: 'TLSv1.2' });
  });

  it('checks the certificate of the registry unless it is told not to', async () => {
    expect((await read('  caFile: ca.pem\n')).rejectUnauthorized).to.equal(true);
    expect((await read('  registry.Consumer.verifyPeer: false\n')).rejectUnauthorized).to.equal(false);
  });

  it('knows suites as Go writes them', async () => {
    const suites =
      'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,TLS_AES_128_GCM_SHA256';
    const { ciphers } = await read(
      `  registry.Consumer.cipherSuits: ${suites}\n  registry.Consumer.protocol: TLSv1.3\n`,
    );
    expect(ciphers).to.equal('ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305-SHA256:TLS_AES_128_GCM_SHA256');
  });

  for (const [words, ssl] of [
    ['a file that is not there', 'caFile: nowhere.pem'],
    ['a file without a certificate', 'caFile: no-certificate.pem'],
    ['a cipher plugin', 'cipherPlugin: aes'],
    ['suites that nobody has', 'cipherSuits: TLS_FOO'],
    ['a version of TLS that is broken', 'minVersion: TLSv1.0'],
  ] as const) {
    it(`is refused with ${words}, and says which key`, async () => {
      const error: unknown = await read(`  registry.Consumer.${ssl}\n`).catch((reason: unknown) => reason);
      expect(error).to.include({ code: 'SETTING' });
      expect((error as Error).message).to.contain(`ssl.registry.Consumer.${ssl.split(':')[0] ?? ''}`);
    });
  }
});
