import { s, type Infer } from '@mesher/core';

/** The settings of whoever speaks with Consul, for discovery, registration and configuration alike. */
export const CONNECTION_FIELDS = {
  address: s.list(s.string(), {
    commaSeparated: true,
    doc: 'The Consul agent: host:port, a URL, or unix:///path; CONSUL_HTTP_ADDR sets it. Of several, the next one is used while one does not answer.',
  }),
  ssl: s.boolean({
    default: false,
    doc: 'HTTPS for addresses without a scheme; CONSUL_HTTP_SSL sets it.',
    reason: 'as in the clients of Consul',
  }),
  token: s.string({ doc: 'ACL token; CONSUL_HTTP_TOKEN sets it.', secret: true }),
  tokenFile: s.string({
    doc: 'File with the ACL token, which wins over token and is read again when Consul refuses the token; CONSUL_HTTP_TOKEN_FILE sets it.',
  }),
  httpAuth: s.string({
    doc: 'user:password for HTTP Basic authentication at a gateway before Consul; CONSUL_HTTP_AUTH sets it.',
    secret: true,
  }),
  caFile: s.string({ doc: 'Certificates that are trusted, in PEM; CONSUL_CACERT sets it.' }),
  caPath: s.string({ doc: 'Folder with such files; CONSUL_CAPATH sets it.' }),
  certFile: s.string({ doc: 'Own certificate in PEM; CONSUL_CLIENT_CERT sets it.' }),
  keyFile: s.string({ doc: 'Own key in PEM; CONSUL_CLIENT_KEY sets it.' }),
  verifyPeer: s.boolean({
    doc: 'Checks the certificate of the agent; CONSUL_HTTP_SSL_VERIFY sets it. When left out, ssl.registry.Consumer.verifyPeer says so, or true.',
  }),
  serverName: s.string({
    doc: 'Name that the certificate of the agent must have, when it is not the host of the address; CONSUL_TLS_SERVER_NAME sets it.',
  }),
  tlsReload: s.duration({
    default: '10s',
    min: '100ms',
    max: '24h',
    doc: 'Time between two looks at the TLS files; new connections use what is there.',
    reason: 'certificates are renewed hours before they run out, and a few small files are read in no time',
  }),
  datacenter: s.string({ doc: 'Datacenter that is asked; that of the agent when left out.' }),
  namespace: s.string({ doc: 'Namespace (Consul Enterprise); CONSUL_NAMESPACE sets it.' }),
  partition: s.string({ doc: 'Admin partition (Consul Enterprise); CONSUL_PARTITION sets it.' }),
  consistency: s.oneOf(['default', 'stale', 'consistent'], {
    default: 'default',
    doc: 'How sure answers are: stale asks any server, consistent makes the leader ask the others.',
    reason: 'as in the clients of Consul',
  }),
  requestTimeout: s.duration({
    default: '10s',
    min: '100ms',
    max: '5m',
    doc: 'How long an answer may take, beyond the time that Consul was asked to hold it back.',
    reason: 'an agent answers within milliseconds; ten seconds survive an election',
  }),
  wait: s.duration({
    default: '30s',
    min: '1s',
    max: '10m',
    doc: 'How long Consul is asked to hold back an answer until something changes.',
    reason:
      'an agent that is gone without a word is noticed after a bit more than this; 10m is the most that Consul takes',
  }),
  minInterval: s.duration({
    default: '250ms',
    min: '1ms',
    max: '1m',
    doc: 'Shortest time between two questions about the same thing.',
    reason:
      'Consul also answers when nothing changed, for a service that is not there at any change of another; changes within it arrive together',
  }),
  minRetryDelay: s.duration({
    default: '500ms',
    min: '1ms',
    max: '1m',
    doc: 'Longest first pause after trouble; doubled each time, and the pause drawn at random from 0 up to it.',
    reason: 'an agent that restarts is back within seconds',
  }),
  maxRetryDelay: s.duration({
    default: '30s',
    min: '1ms',
    max: '1h',
    doc: 'Longest pause of all.',
    reason: 'bounds how long news are late after a long outage, and spreads the clients that come back',
  }),
  reconnectSpread: s.duration({
    default: '15s',
    min: '1ms',
    max: '10m',
    doc: 'Longest pause, drawn at random, before the first question after one that failed while all was well; maxRetryDelay at most.',
    reason:
      'an agent that restarts ends the questions of all its clients in one moment: a thousand then come back at 67 a second',
  }),
  readRate: s.bytes({
    default: '4MB',
    min: '64KB',
    max: '1GB',
    doc: 'How much of answers about one service is read in a second, on average: after a long answer the next question waits so long.',
    reason:
      'an answer holds all instances, whatever changed; reading 4 MB takes a tenth of a second, so a service of 10,000 that never rests takes a tenth of a core, and its changes come every three seconds',
  }),
  maxResponseBytes: s.bytes({
    default: '64MB',
    min: '64KB',
    max: '1GB',
    doc: 'Largest answer.',
    reason: '10,000 instances take 10 to 20 MB; more than this is no answer of Consul',
  }),
};

export type ConnectionOptions = Infer<ReturnType<typeof s.object<typeof CONNECTION_FIELDS>>>;
