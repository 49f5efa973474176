import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nginxArguments, nginxPreamble, nginxTempPaths } from '../candidates/nginx-preamble.js';
import type { Lab } from '../process/lab.js';
import { helperProgram } from '../process/helper-program.js';
import { findProgram } from '../process/tools.js';
import { LARGE_BYTES, letters } from '../upstream/bodies.js';
import type { BenchNetwork } from './network.js';

export const HTTP_PORT = 8080;
export const SINK_PORT = 9000;
export const ECHO_PORT = 9001;
/** Where spans are taken, and forgotten. */
export const SPANS_PORT = 9411;
export const SMALL_PATH = '/small';
export const LARGE_PATH = '/large.bin';

const READY_TIMEOUT_MS = 10_000;

/** Starts nginx, the sink and the echo on the far host. @throws Error without nginx */
export async function startServers(lab: Lab, network: BenchNetwork, core: number | undefined): Promise<void> {
  const nginx = findProgram('nginx');
  if (nginx === undefined) throw new Error('nginx is not installed (Debian: nginx-light)');
  const folder = lab.makeFolder('servers');
  const root = join(folder, 'www');
  mkdirSync(root);
  writeFileSync(join(root, LARGE_PATH), Buffer.alloc(LARGE_BYTES, letters(1_048_576)));
  const config = join(folder, 'nginx.conf');
  writeFileSync(
    config,
    `${nginxPreamble(folder, 12_000)}http {
  access_log off; default_type text/plain; sendfile on; tcp_nodelay on;
  keepalive_timeout 3600s; keepalive_requests 1000000000;
  ${nginxTempPaths(folder)}
  server {
    listen 0.0.0.0:${HTTP_PORT} backlog=4096;
    root ${root};
    location = ${SMALL_PATH} { return 200 "${letters(128).toString('latin1')}"; }
    location / { }
  }
  server { listen 0.0.0.0:${SPANS_PORT}; location / { return 202; } }
}
`,
  );
  await lab.start(network.on('far', { command: nginx, args: nginxArguments(folder, config), core }));
  for (const [module, port] of [
    ['upstream/sink-main.js', SINK_PORT],
    ['transparent/echo-server-main.js', ECHO_PORT],
  ] as const) {
    const server = await lab.start(network.on('far', helperProgram(module, core, { port, host: '0.0.0.0' })));
    if ((await server.nextLine((line) => line.includes('"ready"'), READY_TIMEOUT_MS)) === undefined) {
      throw new Error(`${module}: ${server.stderr.slice(-500)}`);
    }
  }
}
