import { s } from '../schema/combinators.js';
import type { Notes } from '../schema/schema.js';
import { FAILURE_STATUS } from './circuit-breaker.js';
import { configClientSchema } from './config-client.js';
import { tracingSchema } from './tracing.js';

const TRANSPORT_LATER: Notes = {
  notYet: 'the limits of listeners and pools are not read from here',
  section: 'servicecomb.transport',
};

export const transportSchema = s.object(
  {
    failure: s.map(
      s.list(
        s.string({
          pattern: FAILURE_STATUS,
          expectation: 'a status as in http_500, or 500, or 5xx, or of gRPC as in grpc_14 or unavailable',
        }),
        {
          commaSeparated: true,
        },
      ),
      {
        keyName: 'protocol',
        doc: 'Statuses that count as failures besides 5xx: http_429,http_408. rest stands for HTTP; under grpc stand gRPC statuses: resource-exhausted.',
      },
    ),
    maxIdleCon: s.map(s.integer({ min: 0, doc: 'Idle connections that are kept.' }), {
      keyName: 'protocol',
      ...TRANSPORT_LATER,
    }),
    maxBodyBytes: s.map(s.bytes({ doc: 'Largest body.' }), { keyName: 'protocol', ...TRANSPORT_LATER }),
    maxHeaderBytes: s.map(s.bytes({ doc: 'Largest head.' }), { keyName: 'protocol', ...TRANSPORT_LATER }),
    timeout: s.map(s.duration({ bareUnit: 's', doc: 'Timeout of the server.' }), {
      keyName: 'protocol',
      ...TRANSPORT_LATER,
    }),
  },
  { doc: 'Limits and failures by protocol.' },
);

const metricsSchema = s.object(
  {
    enable: s.boolean({ doc: 'Offers metrics on the servers of the application.' }),
    apiPath: s.string({ doc: 'Path of the metrics.' }),
    enableGoRuntimeMetrics: s.boolean({ doc: 'Metrics of the runtime.' }),
    enableCircuitMetrics: s.boolean({ doc: 'Metrics of the breakers.' }),
    circuitMetricsConsumerNum: s.integer({ min: 0, doc: 'Workers that gather metrics of the breakers.' }),
    flushInterval: s.duration({ bareUnit: 's', doc: 'Time between two updates of the breaker metrics.' }),
    flushSampleInterval: s.duration({ bareUnit: 's', doc: 'Time between two samples.' }),
  },
  {
    doc: 'Metrics of an application that is built on the SDK.',
    notYet: 'metrics are always at /metrics of the admin port',
  },
);

const CLOUD_LOGIN: Notes = {
  notYet: 'requests are not signed; service-center is logged in to with account.name and account.password',
  section: 'servicecomb.credentials.{accessKey,secretKey,akskCustomCipher,cipher}',
};

export const credentialsSchema = s.object(
  {
    account: s.object({
      name: s.string({ doc: 'Account of service-center, when it has access control.' }),
      password: s.string({ doc: 'Its password.', secret: true }),
    }),
    accessKey: s.string({ doc: 'Access key of the cloud.', secret: true, ...CLOUD_LOGIN }),
    secretKey: s.string({ doc: 'Secret key of the cloud.', secret: true, ...CLOUD_LOGIN }),
    project: s.string({ doc: 'Project in the URLs of service-center, when servicecomb.registry.project is not set.' }),
    akskCustomCipher: s.string({ doc: 'Cipher plugin that decrypts the secret key.', ...CLOUD_LOGIN }),
    cipher: s.string({ doc: 'Cipher plugin that decrypts the password.', ...CLOUD_LOGIN }),
  },
  { doc: 'How to log in to registry and config center.' },
);

function tlsKeys() {
  return {
    cipherPlugin: s.string({ doc: 'Plugin that decrypts the key password.' }),
    verifyPeer: s.boolean({ doc: 'Checks the certificate of the other side; on a server: requires one.' }),
    cipherSuits: s.list(s.string(), { commaSeparated: true, doc: 'Cipher suites.' }),
    protocol: s.string({ doc: 'Lowest version of TLS: TLSv1.2 or TLSv1.3.' }),
    minVersion: s.string({ doc: 'Lowest version of TLS.' }),
    maxVersion: s.string({ doc: 'Highest version of TLS.' }),
    caFile: s.string({ doc: 'Certificates that are trusted.' }),
    certFile: s.string({ doc: 'Own certificate.' }),
    keyFile: s.string({ doc: 'Own key.' }),
    certPwdFile: s.string({ doc: 'File with the password of the key.', secret: true }),
    serverName: s.string({ doc: 'Name to check the certificate for.' }),
  };
}

/** Connections to a registry are all that uses TLS so far. */
const REGISTRY_TLS = s.object(tlsKeys(), { doc: 'TLS to a registry (service-center, Consul).' });

export const sslSchema = s.openObject(
  tlsKeys(),
  {
    as: 'tags',
    keyName: 'tag',
    each: s.object(tlsKeys(), { notYet: 'so far TLS is used to a registry alone: ssl.registry.Consumer' }),
    named: new Map([
      ['registry.Consumer', REGISTRY_TLS],
      ['registry', REGISTRY_TLS],
    ]),
  },
  {
    doc: 'TLS, for everybody and by tag: {service}.{protocol}.{Consumer|Provider}, registry.Consumer, mesher.Provider.',
  },
);

/** Keys of lager.yaml at the top level; they share one notice. */
function lagerKeys() {
  const notes: Notes = {
    notYet: 'logs are JSON lines on stdout, which a collector rotates and formats',
    section: 'logging (lager.yaml)',
  };
  return {
    logWriters: s.list(s.string(), { commaSeparated: true, doc: 'Where logs go: file, stdout.', ...notes }),
    logLevel: s.oneOf(['DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'], {
      ignoreCase: true,
      doc: 'Least severe level that is written, unless --log-level or MESHER_LOG_LEVEL says one; FATAL is ERROR.',
    }),
    logFile: s.string({ doc: 'Log file, relative to CHASSIS_HOME.', ...notes }),
    logFormatText: s.boolean({ doc: 'Text instead of JSON.', ...notes }),
    logColorMode: s.string({ doc: 'auto, always or never.', ...notes }),
    logRotateDisable: s.boolean({ doc: 'Never rotates the log file.', ...notes }),
    logRotateCompress: s.boolean({ doc: 'Compresses rotated files.', ...notes }),
    logRotateAge: s.integer({ min: 0, doc: 'Days after which the file is rotated.', ...notes }),
    logRotateSize: s.integer({ min: 0, doc: 'Megabytes after which the file is rotated.', ...notes }),
    logBackupCount: s.integer({ min: 0, doc: 'Rotated files that are kept.', ...notes }),
    accessLogFile: s.string({ doc: 'Access log: a file or stdout.', ...notes }),
    rollingPolicy: s.string({ doc: 'Rotation by day or by size.', obsolete: 'set logRotateAge or logRotateSize' }),
  };
}

/** What surrounds a call: logs, metrics, traces, TLS, login, zones; and keys that only other programs know. */
export const PLATFORM_SECTIONS = {
  '': s.object({
    ...lagerKeys(),
    proxyedProtocol: s.string({ doc: 'Protocol.', obsolete: 'the protocol is recognised from its first bytes' }),
    policy: s.free({ doc: 'Policies of early Kubernetes examples.', obsolete: 'use servicecomb.routeRule and cse.*' }),
    Provider: s.string({ doc: 'Early microservice.yaml.', obsolete: 'no program reads it' }),
  }),
  'servicecomb.config.client': configClientSchema,
  'servicecomb.transport': transportSchema,
  'servicecomb.metrics': metricsSchema,
  'servicecomb.profile': s.object(
    {
      enable: s.boolean({ doc: 'Offers internal state on the servers of the application.' }),
      apiPath: s.string({ doc: 'Its path.' }),
    },
    { doc: 'Internal state of an application that is built on the SDK.', notYet: 'the SDK will act on it' },
  ),
  'servicecomb.credentials': credentialsSchema,
  'servicecomb.cipher': s.object(
    { plugin: s.string({ doc: 'Cipher plugin.' }) },
    { doc: 'How secrets are decrypted.', notYet: 'TLS and login will act on it' },
  ),
  'servicecomb.quota': s.free({ doc: 'Quota plugin.', obsolete: 'there are no quotas' }),
  'servicecomb.codec': s.free({ doc: 'Codec plugin.', obsolete: 'JSON needs no choice here' }),
  'servicecomb.noRefreshSchema': s.boolean({
    doc: 'Keeps contract files.',
    obsolete: 'contract files are never touched',
  }),
  'servicecomb.apm.tracing': s.object(
    { enable: s.boolean({ doc: 'Sends traces to SkyWalking.' }), serverUri: s.string({ doc: 'Its address.' }) },
    { doc: 'Traces to SkyWalking.', notYet: 'tracing will act on it' },
  ),
  'servicecomb.monitor': s.free({
    doc: 'Monitoring server of one cloud.',
    obsolete: 'scrape /metrics of the admin port instead',
  }),
  'cse.references': s.free({
    doc: 'Services that are called.',
    obsolete: 'providers are learned at the first call; versions are a matter of servicecomb.routeRule',
  }),
  ssl: sslSchema,
  tracing: tracingSchema,
  region: s.object(
    { name: s.string({ doc: 'Region of this instance.' }), availableZone: s.string({ doc: 'Its zone.' }) },
    { doc: 'Where this instance runs, for cse.loadbalance.serverListFilters: zoneaware.' },
  ),
  control: s.object(
    {
      infra: s.string({ doc: 'Control panel plugin.' }),
      settings: s.map(s.string({ doc: 'Setting of the control panel.' }), { keyName: 'setting' }),
    },
    { doc: 'Control panel.', notYet: 'control panels will use it' },
  ),
};
