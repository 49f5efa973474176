import type { Notice, Origin } from '../problem.js';
import type { ObjectSchema } from '../schema/object.js';
import { nearestName } from '../schema/nearest.js';
import type { ConfigEntry } from '../tree/config-node.js';
import type { Environment } from '../yaml/placeholders.js';

/** A variable of netramesh's sidecar (internal/config/global.go of version 0.10) and what it means here. */
export interface NetrameshVariable {
  readonly name: string;
  /** The default that netramesh has; '' for none. */
  readonly theirDefault: string;
  /** The key that it sets. */
  readonly key: string;
  /** How its text is read where that is not how the key itself is written. `word`: only the word `true` is true. */
  readonly as?: 'word';
  /** Somewhere else it is read: with those about tracing, or with those about metrics. */
  readonly elsewhere?: true;
  /** What is not the same, for the guide; '' for nothing. */
  readonly remark: string;
}

const PORT_REMARK = 'other ports are recognised as well, by what is said there; sets `transparent.source.enabled`';
const OWN_PORT_REMARK = 'opened on loopback only';

/** All of them, in the order of the guide. */
export const NETRAMESH_VARIABLES: readonly NetrameshVariable[] = [
  { name: 'NETRA_PORT', theirDefault: '14956', key: 'transparent.port', remark: 'both families' },
  { name: 'NETRA_HTTP_PORTS', theirDefault: '', key: 'transparent.httpPorts', remark: PORT_REMARK },
  {
    name: 'NETRA_LOGGER_LEVEL',
    theirDefault: 'info',
    key: '--log-level',
    elsewhere: true,
    remark: '`fatal` means `error`',
  },
  {
    name: 'NETRA_HTTP_REQUEST_ID_HEADER_NAME',
    theirDefault: 'X-Request-Id',
    key: 'mesher.requestId.header',
    remark: 'an id that is empty, too long or not printable is replaced',
  },
  {
    name: 'NETRA_HTTP_X_SOURCE_HEADER_NAME',
    theirDefault: 'X-Source',
    key: 'transparent.source.header',
    remark: 'sets `transparent.source.enabled`',
  },
  {
    name: 'NETRA_HTTP_X_SOURCE_VALUE',
    theirDefault: 'netra',
    key: 'transparent.source.value',
    remark: 'sets `transparent.source.enabled`',
  },
  {
    name: 'NETRA_HTTP_ROUTING_ENABLED',
    theirDefault: 'false',
    key: 'transparent.routing.enabled',
    as: 'word',
    remark: 'targets must be on the list `NETRA_HTTP_ROUTING_ALLOW`',
  },
  {
    name: 'NETRA_HTTP_ROUTING_HEADER_NAME',
    theirDefault: 'X-Route',
    key: 'transparent.routing.header',
    remark: '',
  },
  {
    name: 'NETRA_HTTP_ROUTING_COOKIE_ENABLED',
    theirDefault: 'false',
    key: 'transparent.routing.cookieEnabled',
    as: 'word',
    remark: '',
  },
  { name: 'NETRA_HTTP_ROUTING_COOKIE_NAME', theirDefault: 'X-Route', key: 'transparent.routing.cookie', remark: '' },
  {
    name: 'NETRA_HTTP_ROUTING_ALLOW',
    theirDefault: '',
    key: 'transparent.routing.allow',
    remark: 'new: where requests may be sent; known services when left out',
  },
  {
    name: 'NETRA_ROUTING_CONTEXT_EXPIRATION_MILLISECONDS',
    theirDefault: '5000',
    key: 'transparent.routing.expiration',
    remark: 'counted from the end of the inbound request, not from its beginning',
  },
  {
    name: 'NETRA_ROUTING_CONTEXT_CLEANUP_INTERVAL',
    theirDefault: '1000',
    key: 'transparent.routing.cleanupInterval',
    remark: 'milliseconds',
  },
  {
    name: 'NETRA_TRACING_CONTEXT_EXPIRATION_MILLISECONDS',
    theirDefault: '5000',
    key: 'tracing.correlation.expiration',
    elsewhere: true,
    remark: 'counted from the end of the inbound request, not from its beginning',
  },
  {
    name: 'NETRA_TRACING_CONTEXT_CLEANUP_INTERVAL',
    theirDefault: '1000',
    key: 'tracing.correlation.cleanupInterval',
    elsewhere: true,
    remark: 'milliseconds',
  },
  {
    name: 'NETRA_HTTP_TRACING_IGNORED_PATHS',
    theirDefault: '',
    key: 'tracing.ignoredPaths',
    elsewhere: true,
    remark: 'templates such as `/health/*` work, too',
  },
  {
    name: 'HTTP_HEADER_TAG_MAP',
    theirDefault: '',
    key: 'tracing.headerTags',
    elsewhere: true,
    remark: 'for all spans, not only for those that begin a trace',
  },
  {
    name: 'HTTP_COOKIE_TAG_MAP',
    theirDefault: '',
    key: 'tracing.cookieTags',
    elsewhere: true,
    remark: 'for all spans, not only for those that begin a trace',
  },
  { name: 'NETRA_STATSD_ENABLED', theirDefault: 'false', key: 'mesher.statsd.enabled', elsewhere: true, remark: '' },
  { name: 'NETRA_STATSD_ADDRESS', theirDefault: '', key: 'mesher.statsd.address', elsewhere: true, remark: '' },
  { name: 'NETRA_STATSD_PREFIX', theirDefault: '', key: 'mesher.statsd.prefix', elsewhere: true, remark: '' },
  {
    name: 'NETRA_PROMETHEUS_PORT',
    theirDefault: '14958',
    key: 'mesher.metrics.port',
    elsewhere: true,
    remark: 'opened only when it is set',
  },
  { name: 'NETRA_PPROF_PORT', theirDefault: '14957', key: 'pprof.listen', elsewhere: true, remark: OWN_PORT_REMARK },
];

/** Variables of netramesh's init container; `mesher intercept` reads them. */
const OF_THE_RULES: ReadonlySet<string> = new Set([
  ...['NETRA_SIDECAR_PORT', 'NETRA_SIDECAR_USER_ID', 'NETRA_SIDECAR_GROUP_ID'],
  ...['NETRA_INBOUND_PROBABILITY', 'NETRA_OUTBOUND_PROBABILITY'],
]);

/** Who sets one of these had every HTTP request of its program marked by netramesh. */
const MARKING = ['NETRA_HTTP_X_SOURCE_VALUE', 'NETRA_HTTP_X_SOURCE_HEADER_NAME', 'NETRA_HTTP_PORTS'] as const;
const SOURCE_SWITCH = 'transparent.source.enabled';

/**
 * What netramesh's variables say, but those about tracing and metrics. A text that cannot be read stays in, so that it is reported with the
 * name of its variable.
 * @param schema where the keys of a variable are not known, it is meant for another program
 * @param files what the files say; it wins over what follows from a variable that says something else
 */
export function readNetrameshVariables(
  env: Environment,
  schema: ObjectSchema<object>,
  files: readonly ConfigEntry[],
): { entries: ConfigEntry[]; notices: Notice[] } {
  const entries: ConfigEntry[] = [];
  const notices: Notice[] = [];
  const tell = (name: string, path: string, message: string): void => {
    notices.push({ kind: 'hint', origin: { layer: 'environment', name }, path, message });
  };
  const isKnown = (key: string): boolean => schema.resolveKey(key.split('.'), 'exact') !== undefined;
  if (!isKnown('transparent.port')) return { entries, notices };
  for (const { name, key, as, elsewhere } of NETRAMESH_VARIABLES) {
    const text = env[name] ?? '';
    if (text === '' || elsewhere === true || !isKnown(key)) continue;
    entries.push(entry(key, as === 'word' ? String(text === 'true') : text, name));
    if (as === 'word' && text !== 'true' && text !== 'false') {
      tell(name, key, `'${text}' does not switch it on: only the word true does, as with netramesh`);
    }
  }
  const marking = MARKING.find((name) => (env[name] ?? '') !== '');
  const isDecided = files.some(({ path }) => path.join('.') === SOURCE_SWITCH);
  if (marking !== undefined && !isDecided && isKnown(SOURCE_SWITCH)) {
    entries.push(entry(SOURCE_SWITCH, 'true', marking));
    const what = 'HTTP requests that leave get a field with their source, as with netramesh';
    tell(marking, SOURCE_SWITCH, `${what}; false in a file ends it`);
  }
  const known = new Set(NETRAMESH_VARIABLES.map(({ name }) => name));
  for (const name of Object.keys(env).sort()) {
    if (!name.startsWith('NETRA_') || known.has(name) || env[name] === '') continue;
    if (OF_THE_RULES.has(name)) tell(name, name, 'is for the rules: mesher intercept apply reads it');
    else {
      const meant = nearestName(name, known);
      tell(name, name, `is not known${meant === undefined ? '' : `; did you mean '${meant}'?`}`);
    }
  }
  return { entries, notices };
}

function entry(key: string, text: string, name: string): ConfigEntry {
  const path = key.split('.');
  const origin: Origin = { layer: 'environment', name };
  return { path, keyOrigins: path.map(() => origin), leaf: { kind: 'scalar', text, origin } };
}
