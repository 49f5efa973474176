import { s } from '../schema/combinators.js';
import type { Fields } from '../schema/object.js';
import type { Infer } from '../schema/schema.js';

const WITH_SERVICE_CENTER = 'the service-center registry will use it';

/** How a registry server is asked; one notice says that nothing acts on it. */
const ASKED_LATER = {
  notYet: WITH_SERVICE_CENTER,
  section: 'servicecomb.registry.{scope,autoIPIndex,refreshInterval,watch,timeout,configPath}',
} as const;

const SCOPE_DOC =
  'full: instances of every application can be found; app: those of the own one. Now it is always full.';

function sharedFields() {
  return {
    disabled: s.boolean({ doc: 'Switches it off.' }),
    type: s.string({ doc: 'Name of the registry plugin, such as file or servicecenter.' }),
    address: s.list(s.string(), {
      commaSeparated: true,
      doc: 'Addresses of the registry, separated by commas; for the file registry a folder.',
    }),
    scope: s.oneOf(['full', 'app'], { doc: SCOPE_DOC, ...ASKED_LATER }),
  } satisfies Fields;
}

function heartbeat() {
  return s.object(
    {
      mode: s.oneOf(['non-keep-alive', 'ping-pong'], { doc: 'Heartbeat by HTTP requests or over a WebSocket.' }),
      interval: s.duration({ bareUnit: 's', doc: 'Time between heartbeats.' }),
    },
    { notYet: WITH_SERVICE_CENTER, section: 'servicecomb.registry.heartbeat' },
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
    autodiscovery: s.boolean({ doc: 'Finds the other nodes of the registry.', notYet: WITH_SERVICE_CENTER }),
    api: api(),
    heartbeat: heartbeat(),
    timeout: s.duration({ doc: 'How long a request to the registry may take.', ...ASKED_LATER }),
    tenant: s.string({ doc: 'Tenant in the registry.', notYet: WITH_SERVICE_CENTER }),
  },
  { doc: 'Settings for registration, where they differ from those of the registry as a whole.' },
);

const discoverySchema = s.object(
  {
    ...sharedFields(),
    refreshInterval: s.duration({ bareUnit: 's', doc: 'Time between two looks at the registry.', ...ASKED_LATER }),
    watch: s.boolean({ doc: 'Lets the registry push changes.', ...ASKED_LATER }),
    autodiscovery: s.boolean({ doc: 'Finds the other nodes of the registry.', notYet: WITH_SERVICE_CENTER }),
    configPath: s.string({ doc: 'Path of the configuration of the registry client.', ...ASKED_LATER }),
    healthCheck: s.boolean({ doc: 'Asks an instance before it is given up.', notYet: WITH_SERVICE_CENTER }),
    cacheIndex: s.free({ doc: 'Tags to index.', obsolete: 'every tag is found without it' }),
    api: api(),
    timeout: s.duration({ doc: 'How long a request to the registry may take.', ...ASKED_LATER }),
    tenant: s.string({ doc: 'Tenant in the registry.', notYet: WITH_SERVICE_CENTER }),
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
      ...ASKED_LATER,
    }),
    refreshInterval: s.duration({
      default: '30s',
      min: '1s',
      bareUnit: 's',
      doc: 'Time between two looks at a registry that does not push.',
      reason: 'as in go-chassis; every sidecar asks that often',
      ...ASKED_LATER,
    }),
    watch: s.boolean({ default: false, doc: 'Lets the registry push changes.', ...ASKED_LATER }),
    autoIPIndex: s.boolean({
      default: false,
      doc: 'Learns every instance of the registry, so that a caller is known by its address. The file registry always does.',
      ...ASKED_LATER,
    }),
    register: s.oneOf(['auto', 'manual'], { default: 'auto', doc: 'Whether this instance registers itself.' }),
    project: s.string({ doc: 'Project in the URLs of service-center.', notYet: WITH_SERVICE_CENTER }),
    autodiscovery: s.boolean({ doc: 'Finds the other nodes of the registry.', notYet: WITH_SERVICE_CENTER }),
    autoSchemaIndex: s.boolean({ doc: 'Indexes contracts.', notYet: WITH_SERVICE_CENTER }),
    uploadSchema: s.boolean({ doc: 'Sends contracts to the registry.', notYet: WITH_SERVICE_CENTER }),
    healthCheck: s.boolean({ doc: 'Asks an instance before it is given up.', notYet: WITH_SERVICE_CENTER }),
    cacheIndex: s.free({ doc: 'Tags to index.', obsolete: 'every tag is found without it' }),
    configPath: s.string({
      doc: 'Path of the configuration of the registry client, for example a kubeconfig.',
      ...ASKED_LATER,
    }),
    discovery: s.object({ disabled: s.boolean({ doc: 'Registers only.' }) }),
    tenant: s.string({ doc: 'Tenant in the registry.', notYet: WITH_SERVICE_CENTER }),
    timeout: s.duration({ doc: 'How long a request to the registry may take.', ...ASKED_LATER }),
    api: api(),
    heartbeat: heartbeat(),
    registrator: registratorSchema,
    serviceDiscovery: discoverySchema,
    contractDiscovery: s.object(
      { ...sharedFields(), refreshInterval: s.duration({ bareUnit: 's', doc: 'Time between two looks.' }) },
      { obsolete: 'contracts are not needed to call a service' },
    ),
  },
  { doc: 'Where services are registered and found.' },
);

export type RegistryConfig = Infer<typeof registrySchema>;
