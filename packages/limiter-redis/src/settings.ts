import { s, type Infer } from '@mesher/core';

/** `plugin.settings.redis`: where shared rate limits are counted. */
export const redisLimiterSchema = s.object({
  address: s.address({ default: '127.0.0.1:6379', doc: 'Address of the Redis server.' }),
  username: s.string({ doc: 'Name of the user (ACL); the default user when left out.' }),
  password: s.string({ secret: true, doc: 'Password of the user.' }),
  database: s.integer({ default: 0, min: 0, doc: 'Number of the database.' }),
  keyPrefix: s.string({
    default: 'mesher:limit:',
    doc: 'What every key begins with. Sidecars share limits when they have the same prefix.',
  }),
  tls: s.object(
    {
      enable: s.boolean({ default: false, doc: 'Speaks TLS with the server.' }),
      caFile: s.string({
        doc: 'Certificates (PEM) of those that may sign that of the server; those of Node when left out.',
      }),
      certFile: s.string({ doc: 'Certificate (PEM) of this client, where the server asks for one.' }),
      keyFile: s.string({ doc: 'Its key (PEM).' }),
      serverName: s.string({ doc: 'Name in the certificate of the server; the host of the address when left out.' }),
      verifyPeer: s.boolean({
        default: true,
        doc: 'Whether the certificate of the server is checked.',
        reason: 'without it anybody in between can read the password',
      }),
    },
    { doc: 'How the connection is protected. Paths start at the configuration folder.' },
  ),
  connectTimeout: s.duration({
    default: '2s',
    min: '10ms',
    max: '1m',
    doc: 'How long connecting may take.',
    reason: 'calls do not wait for it: mesher.rateLimit.shared.timeout is theirs',
  }),
  maxReconnectWait: s.duration({
    default: '5s',
    min: '10ms',
    max: '1h',
    doc: 'Longest wait between two attempts to connect; they begin with 50 ms and double.',
    reason: 'a server that is back is found soon, and one that is down is not flooded by all sidecars',
  }),
  silence: s.duration({
    default: '5s',
    min: '100ms',
    max: '10m',
    doc: 'How long the server may owe an answer before the connection is given up and made anew.',
    reason: 'a firewall that drops packets leaves a connection that looks well and never answers',
  }),
});

export type RedisLimiterSettings = Infer<typeof redisLimiterSchema>;
