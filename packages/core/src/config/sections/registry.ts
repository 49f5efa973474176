import { s } from '../schema/combinators.js';
import type { Fields } from '../schema/object.js';
import type { Infer } from '../schema/schema.js';

const SCOPE_DOC =
  'Of service-center: full: instances of every application can be found; app: those of the own one. Other registries are always full.';

const HEALTH_CHECK_DOC =
  'Instances that service-center or Consul no longer lists are kept for as long as they accept connections, up to ten minutes.';

/** Where the registry itself is configured. */
function configPath() {
  return s.string({
    doc: 'Path of the configuration of the registry client, for example a kubeconfig.',
    notYet: 'the Kubernetes registry will use it',
    section: 'servicecomb.registry.configPath',
  });
}

function sharedFields() {
  return {
    disabled: s.boolean({ doc: 'Switches it off.' }),
    type: s.string({ doc: 'Name of the registry plugin: file, servicecenter, consul, or one of your own.' }),
    address: s.list(s.string(), {
      commaSeparated: true,
      doc: 'Addresses of the registry, separated by commas; for the file registry a folder.',
    }),
    scope: s.oneOf(['full', 'app'], { doc: SCOPE_DOC }),
  } satisfies Fields;
}

/** How a server is asked; the registry as a whole and each half of it may say so. */
function serverFields() {
  return {
    autodiscovery: s.boolean({
      doc: 'Finds the other nodes of service-center, and prefers those in the own zone (region.availableZone).',
    }),
    tenant: s.string({ doc: 'Tenant (domain) in service-center; default when left out.' }),
    timeout: s.duration({
      min: '100ms',
      max: '5m',
      doc: 'How long a request to service-center may take; 10s when left out.',
    }),
    api: api(),
  } satisfies Fields;
}

function heartbeat() {
  return s.object(
    {
      mode: s.oneOf(['non-keep-alive', 'ping-pong'], {
        doc: 'Heartbeat by HTTP requests (the default), or over a WebSocket, with requests while there is none.',
      }),
      interval: s.duration({
        min: '5s',
        max: '10m',
        bareUnit: 's',
        doc: 'Time between heartbeats; 30s when left out. An instance without heartbeats is dropped after four times as long.',
        reason: 'service-center takes no shorter interval than 5s',
      }),
    },
    { doc: 'How an instance stays alive in service-center.' },
  );
}

function api() {
  return s.object(
    { version: s.string({ doc: 'Version of the API of service-center.' }) },
    { obsolete: 'the only API there is, v4, is used' },
  );
}

const registratorSchema = s.object(
  {
    ...sharedFields(),
    register: s.oneOf(['auto', 'manual'], { doc: 'Whether this instance registers itself.' }),
    ...serverFields(),
    heartbeat: heartbeat(),
  },
  { doc: 'Settings for registration, where they differ from those of the registry as a whole.' },
);

const discoverySchema = s.object(
  {
    ...sharedFields(),
    ...serverFields(),
    refreshInterval: s.duration({ min: '1s', bareUnit: 's', doc: 'Time between two looks at the registry.' }),
    watch: s.boolean({ doc: 'Lets the registry push changes.' }),
    configPath: configPath(),
    healthCheck: s.boolean({ doc: HEALTH_CHECK_DOC }),
    cacheIndex: s.free({ doc: 'Tags to index.', obsolete: 'every tag is found without it' }),
  },
  { doc: 'Settings for discovery, where they differ from those of the registry as a whole.' },
);

/** `servicecomb.registry`: where services are registered and found. */
export const registrySchema = s.object(
  {
    ...sharedFields(),
    disabled: s.boolean({ default: false, doc: 'Neither registers nor discovers.' }),
    scope: s.oneOf(['full', 'app'], {
      default: 'app',
      doc: SCOPE_DOC,
      reason: 'go-chassis takes everything but full for app',
    }),
    refreshInterval: s.duration({
      default: '30s',
      min: '1s',
      bareUnit: 's',
      doc: 'Time between two looks at a registry that does not push, give or take a fifth.',
      reason: 'as in go-chassis; every sidecar asks that often',
    }),
    watch: s.boolean({ default: false, doc: 'Lets the registry push changes.' }),
    autoIPIndex: s.boolean({
      default: false,
      doc: 'Learns every instance of service-center or Consul, so that a caller is known by its address. The file registry always does.',
    }),
    register: s.oneOf(['auto', 'manual'], { default: 'auto', doc: 'Whether this instance registers itself.' }),
    project: s.string({ doc: 'Project in the URLs of service-center; default when left out.' }),
    autoSchemaIndex: s.boolean({
      doc: 'Keeps an index of the contracts in service-center: which service has which. For plugins; calls need no contract.',
    }),
    uploadSchema: s.boolean({
      doc: 'Sends the contracts in {service}/schema of the configuration folder to service-center.',
    }),
    healthCheck: s.boolean({ doc: HEALTH_CHECK_DOC }),
    cacheIndex: s.free({ doc: 'Tags to index.', obsolete: 'every tag is found without it' }),
    configPath: configPath(),
    discovery: s.object({ disabled: s.boolean({ doc: 'Registers only.' }) }),
    ...serverFields(),
    heartbeat: heartbeat(),
    registrator: registratorSchema,
    serviceDiscovery: discoverySchema,
    contractDiscovery: s.object(
      {
        disabled: s.boolean({ doc: 'Keeps no index of contracts, whatever autoSchemaIndex says.' }),
        refreshInterval: s.duration({ min: '1s', bareUnit: 's', doc: 'Time between two looks at the contracts.' }),
        type: s.string({ doc: 'Registry with the contracts.', obsolete: 'contracts are where the services are found' }),
        address: s.list(s.string(), {
          commaSeparated: true,
          doc: 'Addresses of it.',
          obsolete: 'contracts are where the services are found',
        }),
        scope: s.oneOf(['full', 'app'], { doc: 'Whose contracts.', obsolete: 'servicecomb.registry.scope counts' }),
      },
      { doc: 'The index of contracts.' },
    ),
  },
  { doc: 'Where services are registered and found.' },
);

export type RegistryConfig = Infer<typeof registrySchema>;
