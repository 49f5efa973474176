/** An old spelling and the key it stands for. `*` stands for one part of the key and is carried over. */
export interface LegacyKey {
  readonly old: string;
  readonly now: string;
  /** Only when a value stands at the old key itself, not when keys stand below it. */
  readonly valueOnly?: boolean;
}

function rename(old: string, now: string): LegacyKey {
  return { old, now };
}

/** Groups that the framework keeps under `cse.`, although its documentation and samples often write `servicecomb.`. */
const UNDER_CSE = [
  'loadbalance',
  'isolation',
  // `servicecomb.circuitBreaker.{policy}` is another thing: the policies by mark of java-chassis.
  'circuitBreaker.scope',
  'circuitBreaker.Consumer',
  'circuitBreaker.Provider',
  'fallback',
  'fallbackpolicy',
  'flowcontrol',
  'governance',
] as const;

/** Groups that live under `servicecomb.` and were or are written under `cse.`. */
const UNDER_SERVICECOMB = [
  'protocols',
  'handler',
  'config',
  'credentials',
  'metrics',
  'profile',
  'transport',
  'router',
  'routeRule',
  'sourceTemplate',
  'match',
  'rateLimiting',
  'monitor',
  'noRefreshSchema',
] as const;

/** What `service_description` of old microservice.yaml files holds. */
const SERVICE_DESCRIPTION: readonly (readonly [string, string])[] = [
  ['name', 'name'],
  ['hostname', 'hostname'],
  ['version', 'version'],
  ['environment', 'environment'],
  ['level', 'level'],
  ['properties', 'properties'],
  ['instance_properties', 'instanceProperties'],
  ['paths', 'paths'],
  ['status', 'status'],
  ['schemas', 'schemas'],
];

/**
 * Every old spelling that users' files still hold. The longest match counts; a key may be renamed more than once
 * (`cse.service.registry.refeshInterval`).
 */
export const LEGACY_KEYS: readonly LegacyKey[] = [
  // go-chassis 1.x kept the registry below `service`, in two spellings.
  rename('cse.service.registry', 'servicecomb.registry'),
  rename('cse.service.Registry', 'servicecomb.registry'),
  rename('servicecomb.service.registry', 'servicecomb.registry'),
  rename('servicecomb.service.Registry', 'servicecomb.registry'),
  rename('cse.registry', 'servicecomb.registry'),
  rename('servicecomb.service.config', 'servicecomb.config'),
  rename('cse.service', 'servicecomb.service'),
  ...UNDER_SERVICECOMB.map((group) => rename(`cse.${group}`, `servicecomb.${group}`)),
  ...UNDER_CSE.map((group) => rename(`servicecomb.${group}`, `cse.${group}`)),

  // A typing error in the framework's own struct, and so in everybody's files.
  rename('servicecomb.registry.refeshInterval', 'servicecomb.registry.refreshInterval'),
  rename('servicecomb.registry.*.refeshInterval', 'servicecomb.registry.*.refreshInterval'),
  rename('servicecomb.registry.healthcheck', 'servicecomb.registry.healthCheck'),

  // microservice.yaml before 1.8.
  rename('APPLICATION_ID', 'servicecomb.service.app'),
  ...SERVICE_DESCRIPTION.map(([old, now]) => rename(`service_description.${old}`, `servicecomb.service.${now}`)),
  rename('instance_description.environment', 'servicecomb.service.environment'),
  rename('instance_description.properties', 'servicecomb.service.instanceProperties'),
  rename('servicecomb.service.instance_properties', 'servicecomb.service.instanceProperties'),

  // Which answers count as failures was a matter of the server protocol once.
  rename('servicecomb.protocols.*.failure', 'servicecomb.transport.failure.*'),

  // Capitals in the samples that the framework never read.
  rename('cse.loadbalance.backoff.MinMs', 'cse.loadbalance.backoff.minMs'),
  rename('cse.loadbalance.backoff.MaxMs', 'cse.loadbalance.backoff.maxMs'),
  rename('cse.loadbalance.*.backoff.MinMs', 'cse.loadbalance.*.backoff.minMs'),
  rename('cse.loadbalance.*.backoff.MaxMs', 'cse.loadbalance.*.backoff.maxMs'),
  ...['sessionTimeoutInSeconds', 'successiveFailedTimes'].flatMap((key) => [
    rename(`cse.loadbalance.strategy.${key}`, `cse.loadbalance.SessionStickinessRule.${key}`),
    rename(`cse.loadbalance.*.strategy.${key}`, `cse.loadbalance.*.SessionStickinessRule.${key}`),
  ]),

  // What is tried again without being asked for stood apart from the retries.
  rename('mesher.attempts.maxAttempts', 'cse.loadbalance.safeAttempts'),
  rename('mesher.attempts.minRest', 'cse.loadbalance.connectRest.min'),
  rename('mesher.attempts.maxRest', 'cse.loadbalance.connectRest.max'),

  // lager.yaml, two generations.
  rename('writers', 'logWriters'),
  rename('logger_level', 'logLevel'),
  rename('logger_file', 'logFile'),
  rename('log_format_text', 'logFormatText'),
  rename('log_rotate_date', 'logRotateAge'),
  rename('log_rotate_age', 'logRotateAge'),
  rename('log_rotate_size', 'logRotateSize'),
  rename('log_backup_count', 'logBackupCount'),

  // What java-chassis calls them.
  rename('servicecomb.matchGroup', 'servicecomb.match'),

  // Rules of the first kind stood at the top level.
  rename('routeRule', 'servicecomb.routeRule'),
  rename('sourceTemplate', 'servicecomb.sourceTemplate'),
  rename('tracing.collectorTarget', 'tracing.settings.URI'),
  rename('servicecomb.tracing', 'tracing'),

  // Mesher once had one destination resolver for everything, and everything was HTTP.
  { old: 'plugin.destinationResolver', now: 'plugin.destinationResolver.http', valueOnly: true },
];
