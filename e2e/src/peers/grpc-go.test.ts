import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { builtProgram, isBuilt, requireBuilt } from '../support/built-program.js';
import { run } from '../support/command.js';
import { GRPC_CASES } from '../support/grpc/grpc-cases.js';
import { runGrpcLoad } from '../support/grpc/grpc-load.js';
import { GrpcMesh } from '../support/grpc/grpc-mesh.js';
import { useScene, useSharedScene } from '../support/scene.js';

const PEER = builtProgram('grpc-peer');
/** Cases of the client in e2e/go/grpc-peer/client.go. */
const CLIENT_CASES = isBuilt('grpc-peer')
  ? execFileSync(PEER, ['cases'], { encoding: 'utf8' }).trim().split('\n')
  : ['all cases'];
const SERVER = [PEER, 'server'] as const;

describe('gRPC through two sidecars, with grpc-go:', () => {
  describe('its server and the client of grpc-js', () => {
    before(function () {
      requireBuilt(this, 'grpc-peer');
    });
    const mesh = useSharedScene((scene) => GrpcMesh.build(scene, 1, { command: SERVER }));
    afterEach(() => mesh().closeClients());

    for (const { title, run: runCase } of GRPC_CASES) it(title, async () => await runCase(mesh()));
  });

  for (const [server, command] of [['grpc-js', undefined] as const, ['grpc-go', SERVER] as const]) {
    describe(`its client and the server of ${server}`, () => {
      before(function () {
        requireBuilt(this, 'grpc-peer');
      });
      const mesh = useSharedScene((scene) => GrpcMesh.build(scene, 1, command === undefined ? {} : { command }));

      for (const [index, title] of CLIENT_CASES.entries()) {
        it(title, async () => {
          const { caller, app } = mesh();
          const to = [caller.grpcOutbound, 'greeter', app.address];
          const { code, stdout, stderr } = await run(PEER, ['client', String(index), ...to]);
          expect(stderr.trim()).to.equal('');
          expect([code, stdout.trim()]).to.deep.equal([0, 'ok']);
        });
      }
    });
  }

  describe('its server that sends GOAWAY under load', () => {
    const scene = useScene();
    before(function () {
      requireBuilt(this, 'grpc-peer');
    });

    it('costs no call', async () => {
      const mesh = await GrpcMesh.build(scene(), 1, { command: SERVER, app: { MAX_CONNECTION_AGE_MS: '150' } });
      const { servers, failures } = await runGrpcLoad({ client: mesh.client(), total: 3_000, parallel: 32 });
      mesh.closeClients();
      expect(failures).to.deep.equal([]);
      expect(servers).to.have.lengthOf(3_000);
    });
  });
});
