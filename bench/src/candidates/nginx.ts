import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, versionOf } from '../process/tools.js';
import type { Candidate, Found, LaunchPlan, Site } from './candidate.js';
import { nginxArguments, nginxPreamble, nginxTempPaths } from './nginx-preamble.js';

const STREAM_MODULE = 'ngx_stream_module.so';
/** Where Debian and the builds of nginx.org keep dynamic modules. */
const MODULE_FOLDERS = ['/usr/lib/nginx/modules', '/usr/lib64/nginx/modules', '/etc/nginx/modules'];
const IDLE_UPSTREAMS = 128;
/** nginx closes idle clients once less than a sixteenth of its connections is free; this keeps more than that free. */
const HEADROOM = 1.25;
const SPARE_CONNECTIONS = 512;
/** grpc_pass has an upstream connection for every call that is open. */
const HELD_STREAMS = 6_000;
/** The relay buffers that compare with ours, which are of 64 KB too. */
const LARGE_BUFFER = 'proxy_buffer_size 64k;';

/** nginx as HTTP proxy, as HTTP/2 proxy, and as TCP relay with its default buffers (16 KB) and with 64 KB. */
export function findNginx(): Found {
  const program = findProgram('nginx');
  const ids = ['nginx', 'nginx-grpc', 'nginx-stream-64k', 'nginx-stream'];
  if (program === undefined) {
    return {
      candidates: [],
      missing: ids.map((id) => ({ id, reason: 'nginx is not installed (Debian: nginx-light)' })),
    };
  }
  const version = versionOf(program, ['-v'], /nginx\/([\d.]+)/);
  const candidates: Candidate[] = [
    { id: 'nginx', layer: 'l7', label: `nginx ${version} proxy_pass`, prepare: (site) => prepareHttp(program, site) },
    {
      id: 'nginx-grpc',
      layer: 'h2',
      label: `nginx ${version} grpc_pass`,
      prepare: (site) => prepareGrpc(program, site),
    },
  ];
  const module = findStreamModule(program);
  if (module === undefined) {
    const reason = 'nginx lacks its stream module (Debian: libnginx-mod-stream)';
    return { candidates, missing: ids.slice(2).map((id) => ({ id, reason })) };
  }
  candidates.push(
    {
      id: 'nginx-stream-64k',
      layer: 'l4',
      label: `nginx ${version} stream, 64 KB buffers`,
      prepare: (site) => prepareStream(program, module, LARGE_BUFFER, site),
    },
    {
      id: 'nginx-stream',
      layer: 'l4',
      label: `nginx ${version} stream, default buffers`,
      prepare: (site) => prepareStream(program, module, '', site),
    },
  );
  return { candidates, missing: [] };
}

/** The dynamic module's path, an empty list when it is compiled in, undefined when there is none. */
function findStreamModule(program: string): readonly string[] | undefined {
  const path = MODULE_FOLDERS.map((folder) => join(folder, STREAM_MODULE)).find((candidate) => existsSync(candidate));
  if (path !== undefined) return [path];
  return versionOf(program, ['-V'], /--with-stream(?!\S)()/) === '' ? [] : undefined;
}

async function prepareHttp(program: string, site: Site): Promise<LaunchPlan> {
  const port = await site.pickPort();
  return write(
    program,
    site,
    port,
    nginxPreamble(site.folder, connectionsFor(site.capacity)) +
      `http {
  access_log off; tcp_nodelay on; ${nginxTempPaths(site.folder)} proxy_max_temp_file_size 0;
  keepalive_timeout 3600s; keepalive_requests 1000000000;
  upstream up {
    server 127.0.0.1:${site.upstreamPort};
    keepalive ${IDLE_UPSTREAMS}; keepalive_requests 1000000000; keepalive_timeout 3600s;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://up;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Request-Id $request_id;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }
  }
}
`,
  );
}

/** Its windows and buffers are its defaults, but for the bodies of requests, which have no bound. */
async function prepareGrpc(program: string, site: Site): Promise<LaunchPlan> {
  const port = await site.pickPort();
  const grpcPort = await site.pickPort();
  const upstream = (name: string, target: number): string => `upstream ${name} {
    server 127.0.0.1:${target};
    keepalive ${IDLE_UPSTREAMS}; keepalive_requests 1000000000; keepalive_timeout 3600s;
  }`;
  const server = (own: number, name: string): string => `server {
    listen 127.0.0.1:${own} http2 backlog=4096;
    location / {
      grpc_pass grpc://${name};
      grpc_set_header Host $host;
      grpc_set_header X-Request-Id $request_id;
      grpc_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      grpc_read_timeout 3600s; grpc_send_timeout 3600s;
    }
  }`;
  const plan = write(
    program,
    site,
    port,
    nginxPreamble(site.folder, connectionsFor(HELD_STREAMS + site.capacity)) +
      `http {
  access_log off; tcp_nodelay on; client_max_body_size 0; ${nginxTempPaths(site.folder)}
  keepalive_timeout 3600s; keepalive_requests 1000000000; client_body_timeout 3600s;
  ${upstream('bodies', site.http2Port)}
  ${upstream('calls', site.grpcPort)}
  ${server(port, 'bodies')}
  ${server(grpcPort, 'calls')}
}
`,
  );
  return { ...plan, grpcPort };
}

async function prepareStream(
  program: string,
  modules: readonly string[],
  buffers: string,
  site: Site,
): Promise<LaunchPlan> {
  const port = await site.pickPort();
  const sinkPort = await site.pickPort();
  const plan = write(
    program,
    site,
    port,
    nginxPreamble(site.folder, connectionsFor(2 * site.capacity), modules) +
      `stream {
  # Without proxy_half_close, which is off by default, the answer to a half-closed upload is lost.
  proxy_timeout 3600s; proxy_half_close on; ${buffers}
  server { listen 127.0.0.1:${port} backlog=4096; proxy_pass 127.0.0.1:${site.upstreamPort}; }
  server { listen 127.0.0.1:${sinkPort} backlog=4096; proxy_pass 127.0.0.1:${site.sinkPort}; }
}
`,
  );
  return { ...plan, sinkPort };
}

function connectionsFor(capacity: number): number {
  return Math.ceil(capacity * HEADROOM) + SPARE_CONNECTIONS;
}

function write(program: string, site: Site, port: number, config: string): LaunchPlan {
  const path = join(site.folder, 'nginx.conf');
  writeFileSync(path, config);
  return { programs: [{ command: program, args: nginxArguments(site.folder, path) }], port };
}
