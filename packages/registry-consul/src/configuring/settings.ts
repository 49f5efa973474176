import { s, type Infer } from '@mesher/core';
import { CONNECTION_FIELDS } from '../client/connection-options.js';

const { address, ssl, token, tokenFile, httpAuth } = CONNECTION_FIELDS;
const { caFile, caPath, certFile, keyFile, verifyPeer, serverName, tlsReload } = CONNECTION_FIELDS;
const { datacenter, namespace, partition, consistency, requestTimeout, minInterval } = CONNECTION_FIELDS;

/** `plugin.settings.consul`: where in Consul's keys configuration is, and how Consul is spoken with. */
export const consulConfigSchema = s.object(
  {
    // How long an answer is held back, and the pauses after trouble, are those of every config source: servicecomb.config.client.
    ...{ address, ssl, token, tokenFile, httpAuth },
    ...{ caFile, caPath, certFile, keyFile, verifyPeer, serverName, tlsReload },
    ...{ datacenter, namespace, partition, consistency, requestTimeout, minInterval },
    places: s.list(s.string(), {
      commaSeparated: true,
      default: ['mesher/{app}/application/', 'mesher/{app}/services/{service}/'],
      doc: 'Where configuration is, from low to high: a prefix that ends with a slash, or a key that ends with .yaml. {app}, {service}, {version} and {environment} are those of servicecomb.service; a place with an empty one is left out.',
      reason: 'what holds for an application, and then what holds for one service, as with the labels of Kie',
    }),
    maxResponseBytes: s.bytes({
      default: '8MB',
      min: '64KB',
      max: '256MB',
      doc: 'Largest answer.',
      reason: 'one value has at most 512 KB; rules for a whole mesh fit many times',
    }),
  },
  { doc: "Configuration in Consul's keys (KV)." },
);

export type ConsulConfigSettings = Infer<typeof consulConfigSchema>;
