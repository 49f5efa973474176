import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { chown, readFile } from 'node:fs/promises';
import { APPLICATION } from '../support/intercepted-calls.js';
import { requireProgram } from '../support/command.js';
import { startPeer } from '../support/peer-server.js';
import { ADDRESSES, FAMILIES, useTransparentScene, USUAL_WAY, type Way } from '../support/transparent-scene.js';
import type { TransparentSidecar } from '../support/transparent-sidecar.js';

const PORT = 22;
const SIZE = 5_000_000;
const WAYS: readonly Way[] = [USUAL_WAY, { backend: 'nft', inbound: 'TPROXY' }];

/** The home of root for this server alone: in a mount namespace of its own. */
const SERVE = `
home=$(getent passwd 0 | cut -d: -f6)
mount -t tmpfs -o mode=700 tmpfs "$home" && mkdir -m 700 "$home/.ssh" && install -m 600 "$2" "$home/.ssh/authorized_keys"
exec dropbear -F -E -s -r "$1" -P "$3" -p ${PORT}
`;

describe('SSH between two transparent sidecars', () => {
  const scene = useTransparentScene('unshare');
  let key: string;
  let near: TransparentSidecar, far: TransparentSidecar;

  before(async function () {
    for (const program of ['dropbear', 'dbclient']) requireProgram(this, program, '-V');
    key = scene().path('key');
    const host = scene().path('host-key');
    for (const file of [key, host]) await scene().far.must('dropbearkey', ['-t', 'ed25519', '-f', file]);
    const printed = await scene().far.must('dropbearkey', ['-y', '-f', key]);
    const authorized = await scene().write('authorized', `${/^ssh-\S+ \S+/m.exec(printed)?.[0] ?? ''}\n`);
    await chown(key, APPLICATION.uid, APPLICATION.gid);
    const args = ['--mount', 'sh', '-c', SERVE, 'sh', host, authorized, scene().path('dropbear.pid')];
    await startPeer(scene().far, 'unshare', args, { port: PORT });
  });

  for (const way of WAYS) {
    describe(`with ${way.backend}, ${way.inbound} inbound`, () => {
      before(async () => {
        [near, far] = await scene().bothSidecars(way, { mesher: { 'mesher.proxy.detectTimeout': '5m' } });
      });

      for (const family of FAMILIES) {
        it(`logs in, and copies megabytes there and back, over ${family}`, async () => {
          const data = await scene().write('data', Buffer.alloc(SIZE, `over ${family} `));
          const sum = createHash('sha256')
            .update(await readFile(data))
            .digest('hex');
          const ssh = `HOME=${scene().folder} dbclient -y -y -T -i ${key} -p ${PORT} root@${ADDRESSES.far[family]}`;
          // Commands that do not wait for the end of their input: dbclient forgets to tell it, once in fifty times, without any proxy, too.
          expect(await scene().call('sh', '-c', `${ssh} 'head -c ${SIZE} | sha256sum' < ${data}`)).to.include(sum);
          expect(await scene().call('sh', '-c', `${ssh} 'cat ${data}' < /dev/null | sha256sum`)).to.include(sum);
        });
      }

      it('is heard before its client, or both at once', async () => {
        for (const sidecar of [near, far]) {
          expect(await sidecar.connections({ verdict: 'passed' })).to.equal(4);
          expect(await sidecar.connections({ protocol: 'http1' })).to.equal(0);
        }
      });
    });
  }
});
