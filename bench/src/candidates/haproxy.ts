import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, versionOf } from '../process/tools.js';
import type { Found, LaunchPlan, Site } from './candidate.js';

/** Beyond the clients: listeners, pipes and HAProxy's own. */
const SPARE_CONNECTIONS = 32;

/** HAProxy as HTTP proxy, as HTTP/2 proxy and as TCP relay. */
export function findHaproxy(): Found {
  const program = findProgram('haproxy');
  if (program === undefined) {
    const reason = 'haproxy is not installed (Debian: haproxy)';
    return { candidates: [], missing: ['haproxy', 'haproxy-h2', 'haproxy-tcp'].map((id) => ({ id, reason })) };
  }
  const version = versionOf(program, ['-v'], /version (\d+(?:\.\d+)+)/);
  return {
    candidates: [
      { id: 'haproxy', layer: 'l7', label: `HAProxy ${version} http`, prepare: (site) => prepareHttp(program, site) },
      { id: 'haproxy-h2', layer: 'h2', label: `HAProxy ${version} h2`, prepare: (site) => prepareHttp2(program, site) },
      { id: 'haproxy-tcp', layer: 'l4', label: `HAProxy ${version} tcp`, prepare: (site) => prepareTcp(program, site) },
    ],
    missing: [],
  };
}

function preamble(site: Site, mode: string): string {
  return `global
  nbthread 1
  maxconn ${site.capacity + SPARE_CONNECTIONS}
  no strict-limits
defaults
  mode ${mode}
  timeout connect 5s
  timeout client 3600s
  timeout server 3600s
  timeout http-keep-alive 3600s
`;
}

async function prepareHttp(program: string, site: Site): Promise<LaunchPlan> {
  const port = await site.pickPort();
  return write(
    program,
    site,
    port,
    `${preamble(site, 'http')}  http-reuse always
  option forwardfor
frontend in
  bind 127.0.0.1:${port} backlog 4096
  http-request set-header X-Request-Id %[uuid()]
  default_backend up
backend up
  server up 127.0.0.1:${site.upstreamPort}
`,
  );
}

async function prepareHttp2(program: string, site: Site): Promise<LaunchPlan> {
  const port = await site.pickPort();
  const grpcPort = await site.pickPort();
  const side = (name: string, own: number, upstream: number): string => `frontend ${name}
  bind 127.0.0.1:${own} backlog 4096 proto h2
  http-request set-header X-Request-Id %[uuid()]
  default_backend to-${name}
backend to-${name}
  server up 127.0.0.1:${upstream} proto h2
`;
  const plan = write(
    program,
    site,
    port,
    `${preamble(site, 'http')}  http-reuse always
  option forwardfor
${side('bodies', port, site.http2Port)}${side('grpc', grpcPort, site.grpcPort)}`,
  );
  return { ...plan, grpcPort };
}

async function prepareTcp(program: string, site: Site): Promise<LaunchPlan> {
  const port = await site.pickPort();
  const sinkPort = await site.pickPort();
  const plan = write(
    program,
    site,
    port,
    `${preamble(site, 'tcp')}listen http
  bind 127.0.0.1:${port} backlog 4096
  server up 127.0.0.1:${site.upstreamPort}
listen sink
  bind 127.0.0.1:${sinkPort} backlog 4096
  server sink 127.0.0.1:${site.sinkPort}
`,
  );
  return { ...plan, sinkPort };
}

function write(program: string, site: Site, port: number, config: string): LaunchPlan {
  const path = join(site.folder, 'haproxy.cfg');
  writeFileSync(path, config);
  return { programs: [{ command: program, args: ['-db', '-f', path] }], port };
}
