import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { skipBecause } from '@mesher/core/testing';
import { run } from '../support/command.js';
import { GrpcMesh } from '../support/grpc/grpc-mesh.js';
import { useSharedScene } from '../support/scene.js';

const CLIENT = fileURLToPath(new URL('../../python/grpc_client.py', import.meta.url));
const ENVIRONMENT = { PYTHONPATH: fileURLToPath(new URL('../../.cache/peers/python', import.meta.url)) };

const listed = spawnSync('python3', [CLIENT, 'cases'], { encoding: 'utf8', env: { ...process.env, ...ENVIRONMENT } });
const isThere = listed.status === 0;
const titles = isThere ? listed.stdout.trim().split('\n') : ['all cases'];

describe('gRPC through two sidecars, with the client of grpcio for Python:', () => {
  before(function () {
    if (!isThere) skipBecause(this, 'grpcio is not there: scripts/install-peers.sh needs Python 3 with pip for it');
  });
  const mesh = useSharedScene((scene) => GrpcMesh.build(scene));

  async function expectOk(index: number, args: readonly string[], env: Record<string, string> = {}): Promise<void> {
    const { code, stdout, stderr } = await run('python3', [CLIENT, String(index), ...args], { ...ENVIRONMENT, ...env });
    expect([code, stdout.trim()], stderr).to.deep.equal([0, 'ok']);
  }

  for (const [index, title] of titles.entries()) {
    it(title, async () => await expectOk(index, [mesh().caller.grpcOutbound, 'greeter']));
  }

  it('a unary call by grpc_proxy, with the service as target', async () => {
    await expectOk(0, ['greeter:50051'], { grpc_proxy: `http://${mesh().caller.grpcOutbound}` });
  });
});
