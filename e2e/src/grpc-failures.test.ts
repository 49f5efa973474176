import { expect } from 'chai';
import { status as Code } from '@grpc/grpc-js';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { skipBecause } from '@mesher/core/testing';
import { eventually } from './support/eventually.js';
import { nextMessage, outcome } from './support/grpc/grpc-client.js';
import { runGrpcLoad } from './support/grpc/grpc-load.js';
import { GrpcMesh } from './support/grpc/grpc-mesh.js';
import { useScene } from './support/scene.js';

const CALLS = 2_000;
const PARALLEL = 32;
const MIB = 1_048_576;
/** What a sidecar may grow by while a client does not read: windows and buffers of two hops, and garbage not yet collected. */
const GROWTH_MIB = 40;

describe('gRPC through two sidecars, when something goes wrong:', () => {
  const scene = useScene();
  let mesh: GrpcMesh;
  afterEach(() => mesh.closeClients());

  it('no call is lost by a server that ends its connections by GOAWAY again and again', async () => {
    // Short, so that a run sees several; the server gives a connection its GOAWAY after that time, plus or minus a tenth.
    mesh = await GrpcMesh.build(scene(), 1, { app: { MAX_CONNECTION_AGE_MS: '150' } });
    const sidecar = mesh.instances[0]?.sidecar;
    const connects = async (): Promise<number> => (await sidecar?.metric('mesher_upstream_connects_total')) ?? 0;
    const before = await connects();
    const { servers, failures } = await runGrpcLoad({ client: mesh.client(), total: CALLS, parallel: PARALLEL });
    expect(failures).to.deep.equal([]);
    expect(servers).to.have.lengthOf(CALLS);
    expect((await connects()) - before).to.be.greaterThan(1);
  });

  it('an instance that is killed under load costs no more than the calls that it had, and the other one takes over', async () => {
    mesh = await GrpcMesh.build(scene(), 2, { chassis: { 'servicecomb.registry.file.lease': '1s' } });
    const [doomed] = mesh.instances;
    const kill = (): unknown => doomed?.app.process.kill();
    const midway = { after: CALLS / 3, act: kill };
    const { servers, failures } = await runGrpcLoad({
      client: mesh.client(),
      total: CALLS,
      parallel: PARALLEL,
      midway,
    });
    expect(failures.length).to.be.lessThanOrEqual(PARALLEL);
    expect(new Set(failures.map(({ code }) => code))).to.satisfy((codes: Set<number>) =>
      [...codes].every((code) => code === Code.UNAVAILABLE),
    );
    expect(new Set(servers.slice(0, CALLS / 4))).to.have.keys('greeter-1', 'greeter-2');
    expect(new Set(servers.slice(-CALLS / 4))).to.have.keys('greeter-2');
    await doomed?.app.start();
    await eventually('the instance that was started again gets calls', async () => {
      const { head, status } = await mesh.client().say('');
      return status.code === 0 && head?.get('served-by')[0] === 'greeter-1';
    });
  });

  it('a sidecar that is killed under load costs no more than the calls that it had', async () => {
    mesh = await GrpcMesh.build(scene(), 2, { chassis: { 'servicecomb.registry.file.lease': '1s' } });
    const midway = { after: CALLS / 3, act: (): unknown => mesh.instances[0]?.sidecar.process.kill() };
    const { servers, failures } = await runGrpcLoad({
      client: mesh.client(),
      total: CALLS,
      parallel: PARALLEL,
      midway,
    });
    expect(failures.length).to.be.lessThanOrEqual(PARALLEL);
    expect(new Set(servers.slice(-CALLS / 4))).to.have.keys('greeter-2');
  });

  it('a client that does not read stops the server, not the calls beside it, and the sidecars hold next to nothing', async function () {
    if (!existsSync('/proc/self/status')) skipBecause(this, 'the memory of a process is read from /proc');
    mesh = await GrpcMesh.build(scene());
    const { caller, instances } = mesh;
    const sidecars = [caller, instances[0]?.sidecar ?? caller];
    const resident = async (): Promise<number[]> =>
      await Promise.all(
        sidecars.map(async ({ process: { pid } }) => {
          const text = await readFile(`/proc/${pid}/status`, 'utf8');
          return Number(/^VmHWM:\s+(\d+) kB/m.exec(text)?.[1]) / 1024;
        }),
      );
    const client = mesh.client();
    const before = await resident();
    const stalled = Array.from({ length: 4 }, () => client.count(16_384, 65_536));
    for (const call of stalled) await nextMessage(call);
    const relayed = (): Promise<number> => caller.metric('mesher_relayed_bytes_total', { toward: 'downstream' });
    let last = -1;
    await eventually('nothing moves any more', async () => {
      const now = await relayed();
      const stands = now === last;
      last = now;
      return stands;
    });
    expect(last).to.be.lessThan(GROWTH_MIB * MIB);
    const { status } = await client.say('beside');
    expect(status.code, status.details).to.equal(Code.OK);
    const after = await resident();
    console.log(
      `    (MiB of the two sidecars: ${before.map(Math.round).join()} before, ${after.map(Math.round).join()} at most)`,
    );
    for (const [index, mib] of after.entries()) expect(mib - (before[index] as number)).to.be.lessThan(GROWTH_MIB);
    for (const call of stalled) {
      const end = outcome(call);
      call.cancel();
      expect((await end).status.code).to.equal(Code.CANCELLED);
    }
  });

  it('a service that nobody knows, and one without an instance, are told as statuses with the reason', async () => {
    mesh = await GrpcMesh.build(scene());
    await scene().write('disco/empty', '');
    const statusOf = async (authority: string): Promise<[number, string]> => {
      const { status } = await mesh.client({ 'grpc.default_authority': authority }).say('x');
      return [status.code, String(status.metadata.get('x-mesher-error')[0])];
    };
    expect(await statusOf('nobody')).to.deep.equal([Code.UNIMPLEMENTED, 'MESH_ERR_NO_ROUTE']);
    await eventually('the empty service is known', async () => {
      const [code, reason] = await statusOf('empty');
      return code === Code.UNAVAILABLE && reason === 'MESH_ERR_NO_INSTANCE';
    });
  });
});
