import { expect } from 'chai';
import { fileURLToPath } from 'node:url';
import { run } from './support/command.js';
import { GrpcMesh } from './support/grpc/grpc-mesh.js';
import { useSharedScene } from './support/scene.js';

const CLIENT_MAIN = fileURLToPath(new URL('programs/grpc-client-main.js', import.meta.url));

/** What programs/grpc-client-main.ts prints of a call. */
interface Told {
  readonly code: number;
  readonly details: string;
  readonly message: string;
  readonly server: string;
}

describe('an unchanged gRPC client that names the service as its target reaches it', () => {
  const scene = useSharedScene(async (scene) => ({
    mesh: await GrpcMesh.build(scene, 2),
    byIp: await scene.sidecar({
      ...{ service: 'by-ip', host: 'none', grpc: true },
      mesher: { 'plugin.destinationResolver.grpc': 'ip', 'plugin.destinationResolver.http': 'host' },
    }),
  }));
  const mesh = (): GrpcMesh => scene().mesh;

  async function callWith(target: string, calls: number, env: Readonly<Record<string, string>>): Promise<Told[]> {
    const messages = Array.from({ length: calls }, (_none, index) => `message ${index}`);
    const { code, stdout, stderr } = await run(process.execPath, [CLIENT_MAIN, target, ...messages], env);
    expect(code, stderr).to.equal(0);
    return stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Told);
  }

  for (const variable of ['grpc_proxy', 'http_proxy'] as const) {
    for (const listener of ['grpcOutbound', 'outbound'] as const) {
      const where = listener === 'outbound' ? 'listener of HTTP' : 'listener of gRPC';
      it(`by ${variable} and the ${where}, each call by itself at one of the instances`, async () => {
        const proxy = `http://${mesh().caller[listener]}`;
        const told = await callWith('greeter:50051', 20, { [variable]: proxy });
        expect(told.map(({ code, details }) => [code, details])).to.deep.equal(told.map(() => [0, 'OK']));
        expect(told.map(({ message }) => message)).to.have.members(told.map((_told, index) => `message ${index}`));
        for (const { name } of mesh().apps) {
          expect(told.filter(({ server }) => server === name)).to.have.lengthOf(10);
        }
      });
    }
  }

  it('by grpc_proxy and an address that is registered, where the resolver ip is chosen', async () => {
    const proxy = `http://${scene().byIp.grpcOutbound}`;
    const [instance] = mesh().instances;
    const [told] = await callWith(String(instance?.sidecar.grpcInbound), 1, { grpc_proxy: proxy });
    expect([told?.code, told?.details]).to.deep.equal([0, 'OK']);
    expect(mesh().apps.map(({ name }) => name)).to.include(told?.server);
  });

  it('or learns by gRPC status why it does not, although it had to ask for a tunnel first', async () => {
    const proxy = `http://${mesh().caller.grpcOutbound}`;
    const [told] = await callWith('nobody:50051', 1, { grpc_proxy: proxy });
    expect(told?.code).to.equal(12);
    expect(told?.details).to.contain('MESH_ERR_NO_ROUTE').and.to.contain('nobody');
  });

  it('by no_proxy not at all: the target is dialled, and the client says so', async () => {
    const proxy = `http://${mesh().caller.grpcOutbound}`;
    const [told] = await callWith('localhost:1', 1, { grpc_proxy: proxy, no_proxy: 'localhost' });
    expect([told?.code, told?.server]).to.deep.equal([14, '']);
  });
});
