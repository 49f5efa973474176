import { expect } from 'chai';
import { eventually } from './support/eventually.js';
import { ECHO_METHODS } from './support/grpc/echo-service.js';
import { GrpcClient, type GrpcAnswer } from './support/grpc/grpc-client.js';
import { runGrpcLoad } from './support/grpc/grpc-load.js';
import { GrpcMesh, type GrpcInstance } from './support/grpc/grpc-mesh.js';
import { useScene } from './support/scene.js';

const CALLS = 1_500;
const PARALLEL = 32;

describe('a sidecar with calls of gRPC that is asked to stop', () => {
  const scene = useScene();
  let mesh: GrpcMesh;
  afterEach(() => mesh.closeClients());

  /** A call that waits in the application. */
  async function hold(client: GrpcClient): Promise<{ readonly answer: Promise<GrpcAnswer> }> {
    const holding = mesh.app.process.untilPrinted(/holding/, 'now');
    const answer = client.unary(ECHO_METHODS.hold, 'held');
    await holding;
    return { answer };
  }

  it('loses no call of the load on its application, and ends with 0', async () => {
    mesh = await GrpcMesh.build(scene(), 2);
    const [leaving] = mesh.instances as [GrpcInstance, GrpcInstance];
    const midway = { after: CALLS / 3, act: (): unknown => void leaving.sidecar.process.signal('SIGTERM') };
    const { servers, failures } = await runGrpcLoad({
      ...{ client: mesh.client(), total: CALLS, parallel: PARALLEL, midway },
    });
    expect(failures).to.deep.equal([]);
    expect(new Set(servers.slice(0, CALLS / 4))).to.have.keys('greeter-1', 'greeter-2');
    expect(new Set(servers.slice(-CALLS / 4))).to.have.keys('greeter-2');
    expect(await leaving.sidecar.process.exited).to.deep.equal({ code: 0, signal: null });
  });

  it('finishes the call that is under way, and sends clients of its own elsewhere by GOAWAY', async () => {
    mesh = await GrpcMesh.build(scene());
    const { sidecar } = mesh.instances[0] as GrpcInstance;
    const direct = new GrpcClient(sidecar.grpcInbound, 'greeter');
    const { answer } = await hold(direct);
    sidecar.process.signal('SIGTERM');
    await sidecar.process.untilPrinted(/"msg":"draining/);
    await eventually('new calls of the client find nobody', async () => (await direct.say('new')).status.code !== 0);
    expect(sidecar.process.isRunning).to.equal(true);
    await mesh.app.release();
    const { message, status } = await answer;
    expect([status.code, message?.toString()]).to.deep.equal([0, 'held']);
    expect(await sidecar.process.exited).to.deep.equal({ code: 0, signal: null });
    direct.close();
  });

  it('finishes the call that its own application makes, and ends although the connection of the client stays open', async () => {
    mesh = await GrpcMesh.build(scene());
    const { caller } = mesh;
    const { answer } = await hold(mesh.client());
    caller.process.signal('SIGTERM');
    await caller.process.untilPrinted(/"msg":"draining/);
    await mesh.app.release();
    expect((await answer).status.code).to.equal(0);
    expect(await caller.process.exited).to.deep.equal({ code: 0, signal: null });
  });
});
