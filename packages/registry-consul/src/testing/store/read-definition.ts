import { bad } from '../http/agent-error.js';
import { goDuration, isJson, type Json } from '../http/call.js';
import { isStatus, type CheckDefinition, type CheckKind, type ServiceDefinition } from './records.js';

/** Fields of a registration; Consul refuses others. */
const SERVICE_FIELDS = [
  ...['ID', 'Name', 'Kind', 'Tags', 'Address', 'Port', 'Meta', 'TaggedAddresses', 'Weights', 'EnableTagOverride'],
  ...['Check', 'Checks', 'Proxy', 'Connect', 'Namespace', 'Partition', 'Locality', 'SocketPath', 'Token'],
];
const CHECK_FIELDS = [
  ...['CheckID', 'Name', 'ID', 'Notes', 'Status', 'TTL', 'HTTP', 'Header', 'Method', 'Body', 'TCP', 'UDP', 'GRPC'],
  ...['GRPCUseTLS', 'TCPUseTLS', 'H2PING', 'H2PingUseTLS', 'TLSServerName', 'TLSSkipVerify', 'Interval', 'Timeout'],
  ...['DeregisterCriticalServiceAfter', 'SuccessBeforePassing', 'FailuresBeforeWarning', 'FailuresBeforeCritical'],
  ...['ServiceID', 'AliasNode', 'AliasService', 'DisableRedirects', 'OutputMaxSize'],
];
/** Shortest of these times in Consul. */
const MIN_INTERVAL_MS = 1_000;
const MIN_DEREGISTER_MS = 60_000;
const DEFAULT_TIMEOUT_MS = 10_000;
/** Bounds of metadata. */
const MAX_META_PAIRS = 64;
const MAX_META_KEY = 128;
const MAX_META_VALUE = 512;

/** Reads the body of a registration. @throws AgentError 400 as Consul words it */
export function readDefinition(json: Json): ServiceDefinition {
  refuseUnknown(json, SERVICE_FIELDS);
  const name = textOf(json, 'Name');
  if (name === '') bad('Missing service name');
  const id = textOf(json, 'ID') || name;
  const address = textOf(json, 'Address');
  if (['0.0.0.0', '::', '[::]'].includes(address)) bad('Invalid service address');
  const port = json['Port'] ?? 0;
  if (typeof port !== 'number' || !Number.isInteger(port)) bad('Request decode failed: json: cannot unmarshal Port');
  const checks = [json['Check'], ...listOf(json, 'Checks')].filter(isJson);
  return {
    service: {
      ID: id,
      Service: name,
      Tags: listOf(json, 'Tags').map(String),
      Address: address,
      Port: port,
      Meta: readMeta(json['Meta']),
      Weights: readWeights(json['Weights']),
      EnableTagOverride: json['EnableTagOverride'] === true,
      TaggedAddresses: readTaggedAddresses(json['TaggedAddresses'], address, port),
    },
    checks: checks.map((check, at) => {
      const fallback = checks.length > 1 ? `service:${id}:${at + 1}` : `service:${id}`;
      return readCheck(check, fallback, `Service '${name}' check`);
    }),
  };
}

/** @param fallbackId its id when the definition says none. @throws AgentError 400 */
export function readCheck(json: Json, fallbackId: string, fallbackName: string): CheckDefinition {
  refuseUnknown(json, CHECK_FIELDS);
  const status = textOf(json, 'Status') || 'critical';
  if (!isStatus(status)) bad("Status for checks must 'passing', 'warning', 'critical'");
  const after = durationOf(json, 'DeregisterCriticalServiceAfter');
  return {
    checkId: textOf(json, 'CheckID') || fallbackId,
    name: textOf(json, 'Name') || fallbackName,
    notes: textOf(json, 'Notes'),
    status,
    kind: readKind(json),
    interval: textOf(json, 'Interval'),
    timeout: textOf(json, 'Timeout'),
    deregisterAfterMs: after === 0 ? undefined : Math.max(after, MIN_DEREGISTER_MS),
  };
}

function readKind(json: Json): CheckKind {
  const ttlMs = durationOf(json, 'TTL');
  const interval = durationOf(json, 'Interval');
  const [http, tcp, grpc] = ['HTTP', 'TCP', 'GRPC'].map((field) => textOf(json, field));
  const isAtIntervals = [http, tcp, grpc, textOf(json, 'UDP'), textOf(json, 'H2PING')].some(Boolean);
  if (interval > 0 && ttlMs > 0) bad('Invalid check: Interval and TTL cannot both be specified');
  if (isAtIntervals && interval <= 0) {
    bad('Invalid check: Interval must be > 0 for Script, HTTP, H2PING, TCP, UDP or OSService checks');
  }
  if (!isAtIntervals && ttlMs <= 0) bad('Invalid check: TTL must be > 0 for TTL checks');
  if (ttlMs > 0) return { type: 'ttl', ttlMs };
  const intervalMs = Math.max(interval, MIN_INTERVAL_MS);
  const timeoutMs = durationOf(json, 'Timeout') || DEFAULT_TIMEOUT_MS;
  if (http) return { type: 'http', url: http, intervalMs, timeoutMs };
  if (tcp) return { type: 'tcp', address: tcp, intervalMs, timeoutMs };
  return { type: grpc ? 'grpc' : 'other' };
}

function readMeta(json: unknown): Record<string, string> {
  const pairs = Object.entries(isJson(json) ? json : {}).map(([key, value]) => [key, String(value)] as const);
  if (pairs.length > MAX_META_PAIRS)
    bad(`Invalid Service Meta: Node metadata cannot contain more than ${MAX_META_PAIRS} key/value pairs`);
  for (const [key, value] of pairs) {
    const why =
      key === ''
        ? 'Key cannot be blank'
        : !/^[a-zA-Z0-9_-]+$/.test(key)
          ? 'Key contains invalid characters'
          : key.length > MAX_META_KEY
            ? `Key is too long (limit: ${MAX_META_KEY} characters)`
            : key.startsWith('consul-')
              ? "Key prefix 'consul-' is reserved for internal use"
              : value.length > MAX_META_VALUE
                ? `Value is too long (limit: ${MAX_META_VALUE} characters)`
                : undefined;
    if (why !== undefined) bad(`Invalid Service Meta: Couldn't load metadata pair ('${key}', '${value}'): ${why}`);
  }
  return Object.fromEntries(pairs);
}

function readWeights(json: unknown): { Passing: number; Warning: number } {
  if (!isJson(json)) return { Passing: 1, Warning: 1 };
  const [passing, warning] = [Number(json['Passing'] ?? 0), Number(json['Warning'] ?? 0)];
  if (passing < 1) bad('Invalid Weights: Passing must be greater than 0');
  if (warning < 0) bad('Invalid Weights: Warning must be greater or equal than 0');
  if (passing > 65_535 || warning > 65_535) bad('Invalid Weights: DNS Weight must be between 0 and 65535');
  return { Passing: passing, Warning: warning };
}

/** What Consul adds for an address that is a number. */
function readTaggedAddresses(
  json: unknown,
  address: string,
  port: number,
): ServiceDefinition['service']['TaggedAddresses'] {
  const own = Object.entries(isJson(json) ? json : {}).map(([tag, value]) => {
    const { Address = '', Port = 0 } = isJson(value) ? value : {};
    return [tag, { Address: String(Address), Port: Number(Port) }] as const;
  });
  const family = /^\d+\.\d+\.\d+\.\d+$/.test(address) ? 'ipv4' : address.includes(':') ? 'ipv6' : undefined;
  const added =
    family === undefined
      ? []
      : ['lan', 'wan'].map((net) => [`${net}_${family}`, { Address: address, Port: port }] as const);
  return Object.fromEntries([...added, ...own]);
}

function refuseUnknown(json: Json, known: readonly string[]): void {
  const unknown = Object.keys(json).find((field) => !known.includes(field));
  if (unknown !== undefined) bad(`Request decode failed: json: unknown field ${JSON.stringify(unknown)}`);
}

function textOf(json: Json, field: string): string {
  const value = json[field] ?? '';
  return typeof value === 'string'
    ? value
    : bad(`Request decode failed: json: cannot unmarshal ${field} into a string`);
}

function listOf(json: Json, field: string): readonly unknown[] {
  const value = json[field] ?? [];
  return Array.isArray(value)
    ? (value as unknown[])
    : bad(`Request decode failed: json: cannot unmarshal ${field} into a list`);
}

function durationOf(json: Json, field: string): number {
  const value = json[field] ?? 0;
  // A number counts nanoseconds.
  if (typeof value === 'number') return value / 1e6;
  const text = textOf(json, field);
  return text === ''
    ? 0
    : (goDuration(text) ?? bad(`Request decode failed: time: invalid duration ${JSON.stringify(text)}`));
}
