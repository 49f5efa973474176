import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { chown, readFile } from 'node:fs/promises';
import { requireProgram } from '../support/command.js';
import { startPeer } from '../support/peer-server.js';
import { ADDRESSES, FAMILIES, useTransparentScene, USUAL_WAY, type Way } from '../support/transparent-scene.js';
import type { TransparentSidecar } from '../support/transparent-sidecar.js';

const PORT = 22;
const SIZE = 5_000_000;
const OPTIONS = '-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o IdentitiesOnly=yes -o LogLevel=ERROR';
/** ssh runs for users alone that have a name. */
const NOBODY = { uid: 65534, gid: 65534 };
const WAYS: readonly Way[] = [USUAL_WAY, { backend: 'nft', inbound: 'TPROXY' }];

/** The home of root for this server alone: in a mount namespace of its own. */
const SERVE = `
home=$(getent passwd 0 | cut -d: -f6)
mount -t tmpfs -o mode=700 tmpfs "$home" && mkdir -m 700 "$home/.ssh" && install -m 600 "$2" "$home/.ssh/authorized_keys"
exec dropbear -F -E -s -r "$1" -P "$3" -p ${PORT}
`;

describe('SSH between two transparent sidecars', () => {
  const scene = useTransparentScene('unshare');
  const asNobody = (command: string): Promise<string> => scene().near.must('sh', ['-c', command], { as: NOBODY });
  let key: string;
  let near: TransparentSidecar, far: TransparentSidecar;

  before(async function () {
    for (const program of ['dropbear', 'ssh']) requireProgram(this, program, '-V');
    key = scene().path('key');
    const host = scene().path('host-key');
    await scene().far.must('dropbearkey', ['-t', 'ed25519', '-f', host]);
    await scene().far.must('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
    const authorized = await scene().write('authorized', await readFile(`${key}.pub`));
    await chown(key, NOBODY.uid, NOBODY.gid);
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
          // No files of the user: whoever runs this may have keys and settings of their own.
          const ssh = `ssh -F none -T -i ${key} ${OPTIONS} -p ${PORT} root@${ADDRESSES.far[family]}`;
          expect(await asNobody(`${ssh} sha256sum < ${data}`)).to.include(sum);
          expect(await asNobody(`${ssh} 'cat ${data}' < /dev/null | sha256sum`)).to.include(sum);
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
