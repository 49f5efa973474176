import { expect } from 'chai';
import { status as Code } from '@grpc/grpc-js';
import { GrpcApp } from './support/grpc/grpc-app.js';
import { GRPC_CASES } from './support/grpc/grpc-cases.js';
import { GrpcClient } from './support/grpc/grpc-client.js';
import { GrpcMesh } from './support/grpc/grpc-mesh.js';
import { useSharedScene } from './support/scene.js';

/** Calls that are under way at once over one connection of the client. */
const CONCURRENT = 1_000;

describe('gRPC through two sidecars:', () => {
  const mesh = useSharedScene((scene) => GrpcMesh.build(scene));
  afterEach(() => mesh().closeClients());

  for (const { title, run } of GRPC_CASES) it(title, async () => await run(mesh()));

  it('what was compressed stays so: a megabyte of zeros is a few kilobytes on the wire', async () => {
    const { caller } = mesh();
    const carried = (): Promise<number> => caller.metric('mesher_relayed_bytes_total', { toward: 'upstream' });
    const before = await carried();
    const { status } = await mesh().client({ 'grpc.default_compression_algorithm': 2 }).say(Buffer.alloc(1_048_576));
    expect(status.code, status.details).to.equal(Code.OK);
    expect((await carried()) - before).to.be.within(100, 65_536);
  });
});

describe('gRPC without a sidecar, to prove the cases themselves:', () => {
  const direct = useSharedScene(async (scene) => {
    const app = await GrpcApp.start(scene, { name: 'alone' });
    const clients: GrpcClient[] = [];
    return {
      ...{ app, name: 'alone', clients },
      client: (options = {}): GrpcClient => {
        const client = new GrpcClient(app.address, undefined, options);
        clients.push(client);
        return client;
      },
    };
  });
  afterEach(() => {
    for (const client of direct().clients.splice(0)) client.close();
  });

  for (const { title, run } of GRPC_CASES) it(title, async () => await run(direct()));
});

describe('a service of gRPC with two instances', () => {
  const mesh = useSharedScene((scene) => GrpcMesh.build(scene, 2));
  afterEach(() => mesh().closeClients());

  it('gets the calls of one client connection evenly, each of 1,000 that are under way at once by itself', async () => {
    const client = mesh().client();
    const calls = Array.from({ length: CONCURRENT }, (_none, index) => client.say(`message ${index}`));
    const answers = await Promise.all(calls);
    expect(answers.map(({ message }) => message?.toString())).to.deep.equal(
      answers.map((_answer, index) => `message ${index}`),
    );
    const servers = answers.map(({ head }) => String(head?.get('served-by')[0]));
    for (const { name } of mesh().apps) {
      expect(servers.filter((server) => server === name)).to.have.lengthOf(CONCURRENT / 2);
    }
    expect(await mesh().caller.metric('mesher_connections_accepted_total', {})).to.be.lessThan(10);
  });
});
