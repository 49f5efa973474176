import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load } from '../sidecar/load.js';
import { neededFiles } from './needed-files.js';

describe('what a sidecar reads that root has started', () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'mesher-needed-'))));
  afterEach(() => rm(folder, { recursive: true }));

  it('is each file of its configuration, and the keys that they name, relative to the folder or not; no pipe is opened', async () => {
    const conf = join(folder, 'conf');
    await mkdir(conf);
    const key = join(folder, 'own.key');
    await writeFile(key, '');
    await writeFile(join(conf, 'own.crt'), '');
    execFileSync('mkfifo', [join(conf, 'pipe')]);
    await writeFile(join(conf, 'microservice.yaml'), 'servicecomb: { service: { name: shop } }\n');
    const tls = `ssl.keyFile: ${key}\nssl.certFile: own.crt\nssl.caFile: pipe\nssl.certPwdFile: nowhere\n`;
    await writeFile(join(conf, 'tls.yaml'), tls);
    const { configuration } = await load({ confDir: conf, env: {} });
    expect(configuration.errors).to.deep.equal([]);
    const files = ['microservice.yaml', 'tls.yaml', 'own.crt'].map((name) => join(conf, name));
    expect([...neededFiles(conf, configuration)].sort()).to.deep.equal([conf, key, ...files].sort());
  });
});
