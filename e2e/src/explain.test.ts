import { expect } from 'chai';
import { run, type CommandResult } from './support/command.js';
import { useSharedScene } from './support/scene.js';
import { MESHER_BIN, type Sidecar } from './support/sidecar.js';

describe('mesher explain and a running sidecar', () => {
  const scene = useSharedScene(async (built) => {
    const world = await built.service('world');
    const orders = await built.sidecar({
      service: 'orders',
      host: 'none',
      chassis: {
        'servicecomb.routeRule.world': [
          {
            precedence: 1,
            match: { headers: { 'x-user': { exact: 'jason' } } },
            route: [{ tags: { version: '9.9.9' } }],
          },
        ],
      },
    });
    return { world, orders };
  });

  function explain(sidecar: Sidecar, ...args: string[]): Promise<CommandResult> {
    return run(process.execPath, [MESHER_BIN, 'explain', '--admin', `127.0.0.1:${sidecar.adminPort}`, ...args]);
  }

  it('says where a call would go before anybody has called, counts nothing and calls nobody', async () => {
    const { orders, world } = scene();
    const { code, stdout, stderr } = await explain(orders, 'GET', 'http://world/v2');
    expect([code, stderr]).to.deep.equal([0, '']);
    expect(stdout).to.include(world.sidecar.inbound);
    expect(stdout)
      .to.match(/not watched yet/)
      .and.to.match(/\nThe call would be sent\n/);
    expect(await orders.metric('mesher_requests_total')).to.equal(0);
    expect((await orders.services()).services.find(({ service }) => service === 'world')?.exists).to.equal(true);
  });

  it('agrees with the call that is made then', async () => {
    const { orders } = scene();
    const refused = await explain(orders, 'GET', 'http://world/', '-H', 'X-User: jason', '--json');
    expect(refused.code).to.equal(1);
    const { answer } = JSON.parse(refused.stdout) as { answer: { code: string; status: number } };
    const real = await orders.call('http://world/', { headers: { 'x-user': 'jason' } });
    expect([answer.status, answer.code]).to.deep.equal([real.status, real.headers['x-mesher-error']]);
    expect((await explain(orders, 'GET', 'http://world/')).code).to.equal(0);
    expect((await orders.call('http://world/')).status).to.equal(200);
  });

  it('explains calls to the application behind the sidecar', async () => {
    const { world } = scene();
    const { code, stdout } = await explain(world.sidecar, '--inbound', '--source', 'orders', 'GET', '/');
    expect(code).to.equal(0);
    expect(stdout).to.include('the caller is orders').and.to.include(`127.0.0.1:${world.app.port}`);
  });

  it('says how to reach a sidecar when there is none', async () => {
    const { code, stderr } = await run(process.execPath, [MESHER_BIN, 'explain', '--admin', '127.0.0.1:9', 'GET', '/']);
    expect(code).to.equal(2);
    expect(stderr).to.match(/no sidecar answers at 127\.0\.0\.1:9/);
  });
});
