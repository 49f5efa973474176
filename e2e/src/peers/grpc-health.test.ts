import { expect } from 'chai';
import { builtProgram, requireBuilt } from '../support/built-program.js';
import { eventually } from '../support/eventually.js';
import { useScene } from '../support/scene.js';

interface HealthAnswer {
  readonly checks: readonly { readonly check: string; readonly state: string; readonly detail: string }[];
}

describe('local checks by grpc.health.v1, with the health service of grpc-go', () => {
  const scene = useScene();
  before(function () {
    requireBuilt(this, 'grpc-peer');
  });

  it('see each service as it says, and what it does not know', async () => {
    const port = await scene().ports.take();
    const server = scene().spawn('grpc-go', builtProgram('grpc-peer'), ['health'], {
      PORT: String(port),
      HEALTH: 'shop.Orders=SERVING,shop.Stock=NOT_SERVING',
    });
    await server.untilPrinted(/listening/);
    const uris = [undefined, '/shop.Orders', '/shop.Stock', '/nobody'];
    const sidecar = await scene().sidecar({
      service: 'shop',
      mesher: { localHealthCheck: uris.map((uri) => ({ port, protocol: 'grpc', uri, interval: '2s' })) },
    });
    const { checks } = await eventually('each check has a result', async () => {
      const answer = JSON.parse((await sidecar.admin('/v1/mesher/health')).body) as HealthAnswer;
      return answer.checks.every(({ state }) => state !== 'unknown') ? answer : undefined;
    });
    expect(checks.map(({ check, state, detail }) => [check, state, detail])).to.deep.equal([
      [`grpc:${port}`, 'up', 'SERVING'],
      [`grpc:${port}/shop.Orders`, 'up', 'SERVING'],
      [`grpc:${port}/shop.Stock`, 'down', 'NOT_SERVING'],
      [`grpc:${port}/nobody`, 'down', 'the server does not know the service that uri names'],
    ]);
    await server.kill();
    await eventually('nobody listens', async () =>
      (await sidecar.admin('/v1/mesher/health')).body.includes(`nobody listens on port ${port}`),
    );
  });

  it('say what to do about a server without the health service', async () => {
    const port = await scene().ports.take();
    const server = scene().spawn('grpc-go', builtProgram('grpc-peer'), ['server'], {
      PORT: String(port),
      NAME: 'shop',
    });
    await server.untilPrinted(/listening/);
    const sidecar = await scene().sidecar({
      service: 'shop',
      mesher: { localHealthCheck: [{ port, protocol: 'grpc', interval: '2s' }] },
    });
    await eventually('the reason is told', async () =>
      (await sidecar.admin('/v1/mesher/health')).body.includes('no grpc.health.v1.Health'),
    );
  });
});
