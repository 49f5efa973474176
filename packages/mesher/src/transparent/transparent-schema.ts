import { s, type Infer } from '@mesher/core';
import { routingSchema, sourceSchema } from './http-settings-schema.js';

/**
 * Ports of protocols whose server speaks first, or that must not be taken for HTTP, as Linkerd has them
 * (https://linkerd.io/2/features/protocol-detection/): SMTP, MySQL, Galera, PostgreSQL, Redis, Elasticsearch, memcached.
 */
const OPAQUE_PORTS = [25, 587, 3306, 4444, 5432, 6379, 9300, 11_211] as const;

/** User and group ids have 32 bits, and the last one means none. */
const MAX_ID = 0xffff_fffe;

const portSchema = s.integer({ min: 1, max: 65_535, doc: 'A port.' });

/** `transparent`: how `mesher --mode=transparent` treats the connections that rules of interception bring. */
export const transparentSchema = s.object(
  {
    host: s.string({
      default: '::',
      doc: 'Address of the transparent listener.',
      reason:
        'rules send connections to loopback or to the address they came in at, of both families; where there is no IPv6 it is 0.0.0.0',
    }),
    port: s.integer({
      default: 14_956,
      min: 1,
      max: 65_535,
      doc: 'Port of the transparent listener, to which the rules send connections (NETRA_PORT).',
      reason: 'that of netramesh',
    }),
    interception: s.oneOf(['redirect', 'tproxy'], {
      default: 'redirect',
      doc: 'How inbound connections come: as `mesher intercept apply --mode` says. Outbound ones always come by REDIRECT.',
      reason: 'REDIRECT needs no capability',
    }),
    user: s.integer({
      default: 1337,
      min: 0,
      max: MAX_ID,
      doc: 'The user whom the rules of interception leave alone (mesher intercept apply --uid). A sidecar that root starts becomes this user before it opens or connects to anything; with interception tproxy, which needs root, it joins the group alone.',
      reason: 'that of mesher intercept, netramesh and istio-iptables',
    }),
    group: s.integer({
      optional: true,
      min: 0,
      max: MAX_ID,
      doc: 'The group that the rules leave alone (--gid). The number of the user when left out.',
    }),
    policy: s.oneOf(['observe', 'mesh'], {
      default: 'observe',
      doc: 'observe: every connection goes to where it was going, byte for byte. mesh: requests to known services are routed, balanced and guarded like those that come through the proxy port, and requests to the application get the policies of its provider chain.',
      reason: 'who switches interception on must not change what programs get until they want it',
    }),
    requests: s.oneOf(['auto', 'serve', 'pass'], {
      default: 'auto',
      doc: 'Whether HTTP requests that are nothing to the mesh are seen one by one, on their way to where they were going: each is counted, and gets an id and a span. auto: while there is tracing, StatsD, transparent.source or transparent.routing; pass: never, their bytes are not touched.',
      reason: 'a span needs its context in the request; without spans nothing needs to be written into it',
    }),
    httpPorts: s.list(portSchema, {
      commaSeparated: true,
      default: [],
      doc: 'Original ports where clients speak HTTP (NETRA_HTTP_PORTS): where requests are served one by one, nothing is dialled before the first of them. Wins over opaquePorts.',
      reason:
        'what is spoken is told by the bytes; a list is for those who want to save a connection that HTTP will not use',
    }),
    opaquePorts: s.list(portSchema, {
      commaSeparated: true,
      default: [...OPAQUE_PORTS],
      doc: 'Original ports whose connections pass without a look at what they say.',
      reason: 'those of Linkerd: servers that speak first, and protocols of databases',
    }),
    inboundTo: s.oneOf(['original', 'loopback'], {
      default: 'original',
      doc: 'Where the application is reached: at the address that was called, or at loopback.',
      reason: 'what listens on loopback alone is not meant for callers from outside',
    }),
    proxyProtocol: s.oneOf(['off', 'v1', 'v2'], {
      default: 'off',
      doc: 'Tells the application who called, by the PROXY protocol. Inbound connections are then passed on as bytes, whatever policy says.',
      reason: 'an application that does not expect the header takes it for a broken request',
    }),
    keepSource: s.boolean({
      default: false,
      doc: 'The application sees the address of its caller (mesher intercept apply --mode TPROXY --keep-source). Inbound connections are then passed on as bytes, whatever policy says.',
      reason: 'it needs the capability NET_ADMIN, and the application under another user and group',
    }),
    source: sourceSchema,
    routing: routingSchema,
    maxDestinations: s.integer({
      default: 4096,
      min: 16,
      max: 1_000_000,
      doc: 'Original destinations that are remembered, with the connections that are kept to each.',
      reason: 'about 300 bytes each; a scan of ports must not fill the memory',
    }),
    recentConnections: s.integer({
      default: 100,
      min: 0,
      max: 100_000,
      doc: 'Connections that GET /v1/mesher/transparent/connections shows, the newest first. 0: nobody watches connections, and original destinations are not listed, either.',
      reason:
        'about 300 bytes each; enough to see what a program has just done. Watching costs less than 1 us per connection',
    }),
  },
  {
    doc: 'The transparent mode (mesher --mode=transparent).',
    check: ({ keepSource, interception, requests, routing }) => {
      if (keepSource && interception !== 'tproxy')
        return 'keepSource needs interception: tproxy, and rules made by mesher intercept apply --mode TPROXY --keep-source';
      return requests === 'pass' && routing.enabled
        ? 'routing looks into requests, and requests: pass lets nobody do so; set it to auto or serve, or routing.enabled to false'
        : undefined;
    },
  },
);

export type TransparentOptions = Infer<typeof transparentSchema>;
