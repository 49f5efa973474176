/** Metadata of a registration that means something to Mesher; all other entries are metadata of the instance. */
export const META = {
  version: 'version',
  app: 'app',
  environment: 'environment',
  region: 'region',
  zone: 'zone',
  /** One per protocol, followed by its name: `rest://10.0.0.1:8080?sslEnabled=true`. */
  endpoint: 'mesher-endpoint-',
  /** Where Consul's own weights, whole numbers from 1 on, do not do. */
  weight: 'mesher-weight',
  /** JSON in Base64, cut into pieces that are numbered from 0: metadata that Consul does not take as it is. */
  more: 'mesher-more-',
} as const;

/** What Consul takes: https://developer.hashicorp.com/consul/api-docs/agent/service#meta */
export const META_LIMITS = { pairs: 64, keyLength: 128, valueBytes: 512 } as const;

/** Of a key that Consul takes, and that has no meaning of its own to Mesher. */
export function isPlainKey(key: string): boolean {
  return (
    /^[A-Za-z0-9_-]+$/.test(key) &&
    key.length <= META_LIMITS.keyLength &&
    !key.startsWith('consul-') &&
    !key.startsWith('mesher-') &&
    key !== META.version &&
    key !== META.app
  );
}
