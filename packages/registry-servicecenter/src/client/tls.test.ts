import { expect } from 'chai';
import { makeSelfSigned, type SelfSigned } from '@mesher/core/testing';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ServiceCenterServer, type Asked } from '../testing/index.js';
import { RegistryRig } from './testing/registry-rig.js';

const isWatch = ({ path }: Asked): boolean => path.endsWith('/watcher');
const isFind = ({ path }: Asked): boolean => path.endsWith('/instances/action');
const FILES = 'ssl.registry.Consumer: { caFile: ca.pem, certFile: cert.pem, keyFile: key.pem }\n';

describe('service-center behind TLS', () => {
  const closing: (() => Promise<void>)[] = [];
  let confDir = '';

  async function write(server: SelfSigned, own: SelfSigned): Promise<void> {
    await writeFile(join(confDir, 'ca.pem'), server.cert);
    await writeFile(join(confDir, 'cert.pem'), own.cert);
    await writeFile(join(confDir, 'key.pem'), own.key);
  }

  async function open(server: SelfSigned, own: SelfSigned): Promise<[ServiceCenterServer, RegistryRig]> {
    const center = await ServiceCenterServer.start({ tls: { ...server, ca: own.cert, requestCert: true } });
    closing.push(() => center.close());
    const rig = await RegistryRig.open({
      address: center.url,
      yaml: `${FILES}servicecomb.registry: { watch: true, timeout: 1s }\n`,
      options: { tlsReload: 20 },
      refreshIntervalMs: 20,
      prepare: (folder) => {
        confDir = folder;
        return write(server, own);
      },
    });
    closing.unshift(() => rig.close());
    return [center, rig];
  }

  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });

  it('is registered in, asked and watched with the own certificate', async () => {
    const [center, rig] = await open(makeSelfSigned('server'), makeSelfSigned('caller'));
    expect(center.url).to.match(/^https:/);
    await rig.register();
    await center.untilWatchers(1);
    expect((await rig.watch('nobody').next()).exists).to.equal(false);
  });

  it('is reached with renewed files without a restart, and not with broken ones', async () => {
    const own = makeSelfSigned('caller');
    const [center, rig] = await open(makeSelfSigned('server'), own);
    await rig.register();
    await center.untilWatchers(1);
    void rig.watch('nobody').next();
    // A renewal that is half done: the files do not go together, and what was good stays in use.
    const renewed = makeSelfSigned('renewed');
    await writeFile(join(confDir, 'key.pem'), renewed.key);
    while (!rig.registry.discovery.state().problems.some((problem) => problem.startsWith('TLS: '))) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    center.dropSockets();
    await center.untilAsked(isWatch, 2);
    // Both sides are renewed, and neither knows the old certificate of the other any more.
    const server = makeSelfSigned('server renewed');
    center.renewTls({ ...server, ca: renewed.cert, requestCert: true });
    await write(server, renewed);
    center.dropSockets();
    const watches = center.asked.filter(isWatch).length;
    await center.untilAsked(isWatch, watches + 1);
    await center.untilWatchers(1);
    await center.untilAsked(isFind, center.asked.filter(isFind).length + 1);
    expect(rig.logger.messages('info').join()).to.contain('TLS files of the registry have changed');
  });

  it('is not trusted without the certificate of its authority, and registration waits', async () => {
    const own = makeSelfSigned('caller');
    const center = await ServiceCenterServer.start({ tls: makeSelfSigned('server') });
    closing.push(() => center.close());
    const rig = await RegistryRig.open({
      address: center.url,
      yaml: 'ssl.registry.Consumer.caFile: ca.pem\n',
      prepare: (folder) => writeFile(join(folder, 'ca.pem'), own.cert),
    });
    closing.unshift(() => rig.close());
    const all = rig.registry.discovery.watchAll(rig.signal)[Symbol.asyncIterator]();
    const error: unknown = await all.next().catch((reason: unknown) => reason);
    expect((error as Error).message).to.match(/cannot be asked: (DEPTH_ZERO_)?SELF_SIGNED_CERT|UNABLE_TO_VERIFY/);
    expect((error as Error).message).to.match(/in ssl\.registry\.Consumer\.caFile$/);
    expect(center.asked).to.deep.equal([]);
  });

  it('refuses at the start files that do not go together, and says which setting it is', async () => {
    const error: unknown = await RegistryRig.open({
      address: 'https://127.0.0.1:1',
      yaml: FILES,
      prepare: (folder) => {
        confDir = folder;
        return write(makeSelfSigned('a'), { cert: makeSelfSigned('b').cert, key: makeSelfSigned('c').key });
      },
    }).catch((reason: unknown) => reason);
    expect(error).to.include({ code: 'SC_SETTING' });
    expect((error as Error).message).to.contain('do not go together');
  });
});
