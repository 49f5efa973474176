import { expect } from 'chai';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { requireProgram } from '../support/command.js';
import { eventually } from '../support/eventually.js';
import { GrpcApp } from '../support/grpc/grpc-app.js';
import { GRPC_CASES } from '../support/grpc/grpc-cases.js';
import { GrpcClient } from '../support/grpc/grpc-client.js';
import { runGrpcLoad } from '../support/grpc/grpc-load.js';
import { canListen } from '../support/free-ports.js';
import { useSharedScene, type Scene } from '../support/scene.js';
import type { Sidecar } from '../support/sidecar.js';

/** Requests after which nginx ends a connection, by GOAWAY: a run of the test sees many of them. */
const KEEPALIVE_REQUESTS = 100;

/** Starts nginx as a proxy of gRPC. @returns the port where it listens */
async function startNginx(scene: Scene, target: string, authority: string): Promise<number> {
  const port = await scene.ports.take();
  const folder = join(scene.folder, `nginx-${port}`);
  await mkdir(folder);
  const config = await scene.write(
    `nginx-${port}/nginx.conf`,
    `daemon off; master_process off; pid ${folder}/nginx.pid; error_log stderr warn;
events { worker_connections 512; }
http {
  access_log off; client_max_body_size 0; large_client_header_buffers 8 64k; grpc_buffer_size 64k; keepalive_requests ${KEEPALIVE_REQUESTS};
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  upstream target { server ${target}; keepalive 16; }
  server {
    listen 127.0.0.1:${port} http2;
    location / { grpc_pass grpc://target; grpc_set_header Host ${authority}; grpc_set_header TE trailers; grpc_read_timeout 60s; }
  }
}
`,
  );
  const nginx = scene.spawn('nginx', 'nginx', ['-p', folder, '-c', config]);
  await eventually('nginx listens', async () => {
    if (!nginx.isRunning) throw new Error(nginx.output);
    return !(await canListen('127.0.0.1', port));
  });
  return port;
}

interface Way {
  readonly app: GrpcApp;
  readonly caller: Sidecar;
  /** Where a client dials, and what it names. */
  readonly address: string;
}

/** Where nginx can stand. */
const PLACES: Readonly<Record<string, (scene: Scene) => Promise<Way>>> = {
  'as the instance of a service, in front of its application': async (scene) => {
    const app = await GrpcApp.start(scene, { name: 'greeter' });
    const nginx = await startNginx(scene, app.address, 'greeter');
    await scene.write('disco/greeter', `127.0.0.1 ${nginx}\n`);
    const caller = await scene.sidecar({ service: 'hello', host: 'none', grpc: true });
    return { app, caller, address: caller.grpcOutbound };
  },
  'as the caller, such as an ingress': async (scene) => {
    const app = await GrpcApp.start(scene, { name: 'greeter' });
    await scene.sidecar({ service: 'greeter', grpcApp: app });
    const caller = await scene.sidecar({ service: 'hello', host: 'none', grpc: true });
    return { app, caller, address: `127.0.0.1:${await startNginx(scene, caller.grpcOutbound, 'greeter')}` };
  },
};

for (const [place, build] of Object.entries(PLACES)) {
  describe(`gRPC with nginx ${place}:`, () => {
    before(function () {
      requireProgram(this, 'nginx', '-v');
    });
    const clients: GrpcClient[] = [];
    const way = useSharedScene(async (scene) => {
      const built = await build(scene);
      const client = (options = {}): GrpcClient => {
        const made = new GrpcClient(built.address, 'greeter', options);
        clients.push(made);
        return made;
      };
      await eventually('the service answers', async () => (await client().say('')).status.code === 0);
      return { ...built, name: 'greeter', client };
    });
    afterEach(() => {
      for (const client of clients.splice(0)) client.close();
    });

    for (const { title, run } of GRPC_CASES) {
      it(title, async () => await run(way()));
    }

    // As the caller it does so to the clients of the test, which know no better.
    if (!place.startsWith('as the instance')) return;
    it('no call is lost, however often nginx ends its connections', async () => {
      const { servers, failures } = await runGrpcLoad({ client: way().client(), total: 3_000, parallel: 32 });
      expect(failures).to.deep.equal([]);
      expect(servers).to.have.lengthOf(3_000);
    });
  });
}
