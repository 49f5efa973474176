import type { ObjectSchema } from '../schema/object.js';
import type { Origin } from '../problem.js';
import type { LegacyRenamer } from '../rename-legacy.js';
import type { ConfigEntry } from '../tree/config-node.js';
import type { Environment } from '../yaml/placeholders.js';
import { readTelemetryVariables } from './telemetry-variables.js';

/** Environment variables with a meaning of their own, as go-chassis has them, and the keys they set; the first that is set counts. */
const NAMED_VARIABLES: readonly { readonly key: string; readonly variables: readonly string[] }[] = [
  { key: 'servicecomb.registry.address', variables: ['PAAS_CSE_SC_ENDPOINT', 'PAAS_CSE_ENDPOINT'] },
  { key: 'servicecomb.config.client.serverUri', variables: ['PAAS_CSE_CC_ENDPOINT', 'PAAS_CSE_ENDPOINT'] },
  { key: 'servicecomb.service.name', variables: ['CAS_COMPONENT_NAME'] },
  { key: 'servicecomb.service.version', variables: ['CAS_INSTANCE_VERSION'] },
  { key: 'servicecomb.service.app', variables: ['CAS_APPLICATION_NAME'] },
  { key: 'servicecomb.service.environment', variables: ['ENVIRONMENT'] },
  { key: 'servicecomb.service.instanceProperties.nodeIP', variables: ['HOSTING_SERVER_IP'] },
  { key: 'servicecomb.registry.project', variables: ['CSE_PROJECT_ID'] },
];

/** Where plugins for Consul have their settings. */
const CONSUL_SECTIONS = ['servicecomb.registry.consul', 'plugin.settings.consul'] as const;

/** As every client of Consul has them: https://developer.hashicorp.com/consul/commands#environment-variables */
const CONSUL_VARIABLES: Readonly<Record<string, string>> = {
  CONSUL_HTTP_ADDR: 'address',
  CONSUL_HTTP_TOKEN: 'token',
  CONSUL_HTTP_TOKEN_FILE: 'tokenFile',
  CONSUL_HTTP_AUTH: 'httpAuth',
  CONSUL_HTTP_SSL: 'ssl',
  CONSUL_HTTP_SSL_VERIFY: 'verifyPeer',
  CONSUL_CACERT: 'caFile',
  CONSUL_CAPATH: 'caPath',
  CONSUL_CLIENT_CERT: 'certFile',
  CONSUL_CLIENT_KEY: 'keyFile',
  CONSUL_TLS_SERVER_NAME: 'serverName',
  CONSUL_NAMESPACE: 'namespace',
  CONSUL_PARTITION: 'partition',
};

/**
 * Names in capitals are compared without letter case, but only below these prefixes: otherwise any `PLUGINS` or `REGION_NAME` of
 * another program would configure this one.
 */
const FOLDED_PREFIX = /^(SERVICECOMB|CSE|MESHER)_[A-Z0-9_]+$/;

/**
 * The values that the environment sets: `A_B_C` stands for the key `A.B.C`, when that is a known key. Names in capitals work too
 * (`SERVICECOMB_REGISTRY_ADDRESS`). The variables with a meaning of their own come last, so they win.
 */
export function readEnvironment(env: Environment, schema: ObjectSchema<object>, renamer: LegacyRenamer): ConfigEntry[] {
  const entries: ConfigEntry[] = [];
  for (const name of Object.keys(env).sort()) {
    const path = env[name] === undefined || env[name] === '' ? undefined : resolveVariable(name, schema, renamer);
    if (path !== undefined) {
      entries.push(makeEntry(path, env[name] ?? '', { layer: 'environment', name }));
    }
  }
  for (const { key, variables } of NAMED_VARIABLES) {
    const name = variables.find((variable) => (env[variable] ?? '') !== '');
    if (name !== undefined) {
      entries.push(makeEntry(key.split('.'), env[name] ?? '', { layer: 'environment', name }));
    }
  }
  for (const [name, field] of Object.entries(CONSUL_VARIABLES)) {
    for (const section of CONSUL_SECTIONS) {
      const path = [...section.split('.'), field];
      const text = env[name] ?? '';
      // Without the plugin the variable is meant for another program.
      if (text !== '' && schema.resolveKey(path, 'exact') !== undefined)
        entries.push(makeEntry(path, text, { layer: 'environment', name }));
    }
  }
  // Those of packages that are not there are meant for another program.
  entries.push(...readTelemetryVariables(env).filter(({ path }) => schema.resolveKey(path, 'exact') !== undefined));
  return entries;
}

/** The values given as `key=value` on the command line. Unknown keys stay in, so that they are reported. */
export function readOverrides(overrides: Readonly<Record<string, string>>, renamer: LegacyRenamer): ConfigEntry[] {
  return Object.entries(overrides).map(([key, value]) =>
    makeEntry(renamer.presentPath(key.split('.')), value, { layer: 'command-line', name: key }),
  );
}

function resolveVariable(
  name: string,
  schema: ObjectSchema<object>,
  renamer: LegacyRenamer,
): readonly string[] | undefined {
  const pieces = name.split('_');
  if (pieces.includes('')) {
    return undefined;
  }
  if (FOLDED_PREFIX.test(name)) {
    return (
      schema.resolveKey(pieces, 'folded') ??
      schema.resolveKey(renamer.presentPath(pieces.map((piece) => piece.toLowerCase())), 'folded')
    );
  }
  return schema.resolveKey(renamer.presentPath(pieces), 'exact');
}

function makeEntry(path: readonly string[], text: string, origin: Origin): ConfigEntry {
  return { path, keyOrigins: path.map(() => origin), leaf: { kind: 'scalar', text, origin } };
}
