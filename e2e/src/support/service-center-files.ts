/** What differs from one service-center of the tests to another. */
export interface ServerSettings {
  readonly port: number;
  /** Of a listener that 2.x has beside its API. */
  readonly grpcPort: number;
  /** Where its etcd is; with two addresses it runs one within itself. */
  readonly etcd: string | { readonly client: string; readonly peer: string };
  /** Files of the keys that sign tokens; nobody needs a token without. */
  readonly keys: { readonly secret: string; readonly open: string } | undefined;
  readonly tls: boolean;
  readonly pingInterval: string;
}

/** `conf/app.conf` of service-center 1.x: what is not said here has the value of the file that it comes with, or none. */
export function appConf({ port, etcd, keys, tls }: ServerSettings): string {
  const embedded = typeof etcd !== 'string';
  const lines: Record<string, string | number> = {
    runmode: 'prod',
    httpaddr: '127.0.0.1',
    httpport: port,
    // Its own spelling.
    registry_plugin: embedded ? 'embeded_etcd' : 'etcd',
    discovery_plugin: 'etcd',
    manager_cluster: embedded ? `sc-0=${etcd.peer}` : etcd,
    ...(embedded ? { manager_name: 'sc-0', manager_addr: etcd.peer } : {}),
    ...(keys === undefined
      ? {}
      : {
          rbac_enabled: 'true',
          rbac_rsa_private_key_file: keys.secret,
          rbac_rsa_public_key_file: keys.open,
          auth_plugin: 'buildin',
        }),
    self_register: 1,
    enable_cache: 1,
    max_header_bytes: 32_768,
    max_body_bytes: 2_097_152,
    ssl_mode: tls ? 1 : 0,
    ssl_verify_client: 0,
    ssl_min_version: 'TLSv1.2',
    ssl_ciphers: 'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
    log_format: 'text',
    loglevel: 'INFO',
    logfile: '""',
  };
  return Object.entries(lines)
    .map(([key, value]) => `${key} = ${value}\n`)
    .join('');
}

/** `conf/app.yaml` of service-center 2.x; YAML takes JSON. */
export function appYaml({ port, etcd, keys, tls, pingInterval }: ServerSettings): string {
  const cluster =
    typeof etcd === 'string'
      ? { endpoints: etcd }
      : { name: 'sc-0', managerEndpoints: etcd.peer, endpoints: etcd.client };
  return JSON.stringify({
    environment: 'dev',
    server: {
      host: '127.0.0.1',
      port,
      request: { maxHeaderBytes: 32_768, maxBodyBytes: 2_097_152, headerTimeout: '60s', timeout: '60s' },
      response: { timeout: '60s' },
      idle: { timeout: '60s' },
    },
    log: { level: 'INFO', file: '', format: 'text' },
    ssl: { enable: tls, verifyClient: 0, minVersion: 'TLSv1.2' },
    registry: {
      kind: typeof etcd === 'string' ? 'etcd' : 'embedded_etcd',
      cache: { mode: 1 },
      etcd: { cluster, autoSyncInterval: '30s', connect: { timeout: '10s' }, request: { timeout: '30s' } },
      instance: { minInterval: '5s' },
      selfRegister: 1,
    },
    discovery: { kind: 'etcd' },
    rbac:
      keys === undefined
        ? { enable: false }
        : { enable: true, privateKeyFile: keys.secret, publicKeyFile: keys.open, scope: '*', releaseLockAfter: '15m' },
    auth: { kind: 'buildin' },
    quota: { kind: 'buildin', cap: QUOTA },
    uuid: { kind: 'context' },
    metrics: { enable: false },
    heartbeat: { websocket: { pingInterval }, kind: 'cache', cacheCapacity: 10_000, workerNum: 10, timeout: 10 },
  });
}

const QUOTA = {
  service: { limit: 50_000 },
  instance: { limit: 150_000 },
  schema: { limit: 100 },
  tag: { limit: 100 },
  account: { limit: 1_000 },
  role: { limit: 100 },
};
