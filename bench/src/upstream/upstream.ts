import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import {
  BODIES,
  LARGE_BYTES,
  LARGE_PATH,
  SEEN_PATH,
  SMALL_PATH,
  STREAM_BYTES,
  STREAM_PATH,
  letters,
} from './bodies.js';
import { nginxArguments, nginxPreamble, nginxTempPaths } from '../candidates/nginx-preamble.js';
import { fetchOnce, waitForOk } from '../net/http-check.js';
import type { PortPicker } from '../net/ports.js';
import { helperProgram } from '../process/helper-program.js';
import type { Lab } from '../process/lab.js';
import type { GrpcUpstreamCount } from './grpc-upstream-main.js';

/** Above the 10,000 idle connections that a relay opens one for one. */
const UPSTREAM_CONNECTIONS = 12_000;
const COUNT_PATH = '/count';
const READY_TIMEOUT_MS = 10_000;
/** nginx reads its configuration in buffers of 4 KiB and takes no longer word; larger bodies are files. */
const MAX_CONFIG_TEXT_BYTES = 2_048;
const PATTERN_BYTES = 1_048_576;

/** What the candidates forward to. */
export interface Upstream {
  readonly httpPort: number;
  readonly sinkPort: number;
  /** The same bodies over HTTP/2 with prior knowledge; answers only when nginx is the upstream. */
  readonly http2Port: number;
  /** A gRPC server that answers every call with one message. */
  readonly grpcPort: number;
  /** How many requests nginx has taken so far, or the gRPC server answered, with the bytes and the calls it has seen. */
  count(which: 'http2' | 'grpc'): Promise<GrpcUpstreamCount>;
  /** In words, for the report. */
  readonly description: string;
}

/** Where to start the upstream, and with what. */
export interface UpstreamOptions {
  readonly core: number | undefined;
  /** Full path of nginx; the Node upstream is used without it. */
  readonly nginx: string | undefined;
}

/** Starts the HTTP upstream, the gRPC server and the byte sink. */
export async function startUpstream(lab: Lab, ports: PortPicker, options: UpstreamOptions): Promise<Upstream> {
  const folder = lab.makeFolder('upstream');
  const root = join(folder, 'www');
  mkdirSync(root);
  for (const { path, body } of BODIES) writeFileSync(join(root, path), body);
  writeLargeFile(join(root, LARGE_PATH), LARGE_BYTES);
  writeLargeFile(join(root, STREAM_PATH), STREAM_BYTES);
  const httpPort = await ports.pick();
  const sinkPort = await ports.pick();
  const http2Port = await ports.pick();
  const grpcPort = await ports.pick();
  const started =
    options.nginx === undefined
      ? await lab.start(
          helperProgram('upstream/node-upstream-main.js', options.core, {
            port: httpPort,
            largeFile: join(root, LARGE_PATH),
            largePath: LARGE_PATH,
          }),
        )
      : await startNginx(lab, options.nginx, folder, root, { httpPort, http2Port }, options.core);
  const sink = await lab.start(helperProgram('upstream/sink-main.js', options.core, { port: sinkPort }));
  await waitForOk(httpPort, SMALL_PATH, READY_TIMEOUT_MS, () => started.running).catch((error: unknown) => {
    throw new Error(`the upstream did not start: ${(error as Error).message} ${started.stderr.slice(-500)}`);
  });
  if ((await sink.nextLine((line) => line.includes('"ready"'), READY_TIMEOUT_MS)) === undefined) {
    throw new Error(`the sink did not start: ${sink.stderr.slice(-500)}`);
  }
  const grpc = await lab.start(helperProgram('upstream/grpc-upstream-main.js', options.core, { port: grpcPort }));
  if ((await grpc.nextLine((line) => line.includes('"ready"'), READY_TIMEOUT_MS)) === undefined) {
    throw new Error(`the gRPC server did not start: ${grpc.stderr.slice(-500)}`);
  }
  const count = async (which: 'http2' | 'grpc'): Promise<GrpcUpstreamCount> => {
    if (which === 'http2') return { answered: await requestsOf(httpPort), received: 0, open: 0 };
    grpc.tell('count?');
    const line = await grpc.nextLine((text) => text.includes('"answered"'), READY_TIMEOUT_MS);
    if (line === undefined) throw new Error(`the gRPC server does not say what it saw: ${grpc.stderr.slice(-500)}`);
    return JSON.parse(line) as GrpcUpstreamCount;
  };
  const description = options.nginx === undefined ? 'an upstream in Node.js on raw sockets' : 'nginx as upstream';
  return { httpPort, sinkPort, http2Port, grpcPort, count, description };
}

/** What nginx has counted: the third figure in the third line of its status page. */
async function requestsOf(port: number): Promise<number> {
  const { text } = await fetchOnce(port, COUNT_PATH);
  const count = /^\s*\d+ \d+ (\d+)\s*$/m.exec(text)?.[1];
  if (count === undefined) throw new Error('nginx lacks its status page (ngx_http_stub_status_module)');
  return Number(count);
}

async function startNginx(
  lab: Lab,
  nginx: string,
  folder: string,
  root: string,
  { httpPort, http2Port }: { readonly httpPort: number; readonly http2Port: number },
  core: number | undefined,
) {
  const fixed = BODIES.filter(({ body }) => body.length <= MAX_CONFIG_TEXT_BYTES).map(
    ({ path, body }) => `    location = ${path} { return 200 "${body.toString('latin1')}"; }`,
  );
  const config = join(folder, 'nginx.conf');
  const locations = `
    root ${root};
${fixed.join('\n')}
    location = ${SEEN_PATH} { return 200 "x-request-id: $http_x_request_id\\r\\nx-forwarded-for: $http_x_forwarded_for\\r\\n\\r\\n"; }
    location / { }`;
  writeFileSync(
    config,
    nginxPreamble(folder, UPSTREAM_CONNECTIONS) +
      `http {
  access_log off; default_type text/plain; sendfile on; tcp_nodelay on;
  keepalive_timeout 3600s; keepalive_requests 1000000000;
  ${nginxTempPaths(folder)}
  server {
    listen 127.0.0.1:${httpPort} backlog=4096;${locations}
    location = ${COUNT_PATH} { stub_status; }
  }
  server {
    listen 127.0.0.1:${http2Port} http2 backlog=4096;
    http2_max_concurrent_streams 1000;${locations}
  }
}
`,
  );
  return lab.start({ command: nginx, args: nginxArguments(folder, config), core });
}

function writeLargeFile(path: string, bytes: number): void {
  const pattern = letters(PATTERN_BYTES);
  const file = openSync(path, 'w');
  for (let written = 0; written < bytes; written += PATTERN_BYTES) writeSync(file, pattern);
  closeSync(file);
}
