import { s } from '../schema/combinators.js';
import type { Infer } from '../schema/schema.js';
import { markProblem } from './header-edits.js';

/** `admin`: the admin API. */
export const adminSchema = s.object(
  {
    enable: s.boolean({ default: true, doc: 'Opens the admin port (30102).', reason: 'it listens on loopback only' }),
    allowRemote: s.boolean({
      default: false,
      doc: 'Lets the admin port listen on an address that is not loopback.',
      reason: 'the admin API has no login: whoever reaches it can drain this sidecar',
    }),
    allowedHosts: s.list(s.string(), {
      commaSeparated: true,
      default: [],
      doc: 'Host names under which the admin port may be asked, besides loopback and its own address.',
      reason: 'any other name in Host is what a web page of a stranger would use (DNS rebinding)',
    }),
    goRuntimeMetrics: s.boolean({
      doc: 'Metrics of the Go runtime.',
      obsolete: 'there is no Go runtime; process metrics are always on',
    }),
    serverUri: s.string({
      doc: 'Address of an admin server.',
      obsolete: 'no program reads it; set servicecomb.protocols.rest-admin.listenAddress',
    }),
  },
  { doc: 'The admin API.' },
);

/** `plugins`: modules to load besides the built-in ones. */
export const pluginsSchema = s.list(s.string(), {
  commaSeparated: true,
  default: [],
  doc: 'Plugins to load: package names, or paths of modules relative to the configuration folder (./plugins/by-path.js).',
});

/** `plugin`: which resolvers decide. */
export const pluginSchema = s.object({
  destinationResolver: s.object(
    {
      http: s.string({ default: 'host', doc: 'Resolver for HTTP: host, authority, ip, or one from a plugin.' }),
      grpc: s.string({ default: 'authority', doc: 'Resolver for gRPC: host, authority, ip, or one from a plugin.' }),
      tcp: s.string({
        default: 'ip',
        doc: 'Resolver for connections that are not HTTP: ip, or one from a plugin.',
        reason: 'without headers an address is all there is',
      }),
    },
    { doc: 'How the called service is found out, by protocol.' },
  ),
  sourceResolver: s.string({
    doc: 'How the calling service is found out: the built-in way (address, then header) when left out, or one from a plugin.',
  }),
});

/** `pprof`: profiling. */
export const pprofSchema = s.object(
  {
    enable: s.boolean({
      default: false,
      doc: 'Offers profiles of this process (CPU and heap), for go tool pprof and for the developer tools of Chrome.',
      reason: 'taking one costs CPU, and there is no login',
    }),
    listen: s.address({
      default: '127.0.0.1:6060',
      doc: 'Address of the profiling server. NETRA_PPROF_PORT sets it to that port of 127.0.0.1, and enable to true.',
      reason: 'whoever reaches it can slow this process down and see what its functions are called',
    }),
    maxDuration: s.duration({
      default: '60s',
      min: '1s',
      max: '10m',
      doc: 'Longest profile that may be asked for with ?seconds=.',
      reason: 'samples are kept in memory until the end, about 30 KB for each second',
    }),
    cpuInterval: s.duration({
      default: '1ms',
      min: '100us',
      max: '100ms',
      doc: 'Time between two samples of a CPU profile.',
      reason: 'that of V8; a longer one costs less and shows less',
    }),
    heapInterval: s.bytes({
      default: '32KB',
      min: '1KB',
      max: '16MB',
      doc: 'Bytes that are allocated between two samples of a heap profile.',
      reason: 'that of V8; a larger one costs less and shows less',
    }),
  },
  { doc: 'Profiles.' },
);

const listenerSchema = s.object(
  {
    listen: s.address({ required: true, doc: 'Address to listen on.' }),
    service: s.string({ doc: 'Outbound: connections go to instances of this service.' }),
    target: s.address({ doc: 'Inbound: connections go to this local address.' }),
    protocol: s.oneOf(['auto', 'tcp'], {
      default: 'auto',
      doc: 'auto: connections that turn out to be HTTP are treated as such; tcp: all are passed on as bytes without a look.',
      reason: 'HTTP gets its errors, metrics and policies without being asked for',
    }),
  },
  {
    check: ({ service, target }) =>
      (service === undefined) === (target === undefined)
        ? "set exactly one of 'service' (outbound to a service) and 'target' (inbound to a local address)"
        : undefined,
  },
);

/** RFC 9110, 5.1. */
const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** `mesher`: what only Mesher knows. */
export const mesherSchema = s.object({
  listeners: s.list(listenerSchema, {
    default: [],
    doc: 'Additional listeners, each for one service or one local port: for protocols that name no service; HTTP and gRPC that come there are treated as such.',
  }),
  serverTiming: s.boolean({
    default: false,
    doc: 'Adds a Server-Timing field to answers: how long the sidecar and the upstream took.',
    reason: 'callers outside should not learn how the mesh is built',
  }),
  requestId: s.object(
    {
      header: s.string({
        default: 'X-Request-Id',
        pattern: FIELD_NAME,
        expectation: 'the name of a header field, such as X-Request-Id',
        doc: 'Header field with the id of a request (NETRA_HTTP_REQUEST_ID_HEADER_NAME). A request without one gets a random UUID (version 4), which answers of Mesher itself repeat, and by which traces and routes of the transparent mode are found again.',
      }),
      maxLength: s.integer({
        default: 256,
        min: 16,
        max: 8192,
        doc: 'Characters of an id that a request may bring along. A longer one, or one that is not of printable ASCII, is replaced.',
        reason: 'ids are kept while their calls last and stand in logs, and anybody may choose them',
      }),
    },
    { doc: 'Ids of requests.', check: ({ header }) => markProblem(header) },
  ),
  metrics: s.object(
    {
      enable: s.boolean({
        default: true,
        doc: 'Counts calls, for /metrics.',
        reason: 'it costs about 0.1 us per call',
      }),
      maxServices: s.integer({
        default: 500,
        min: 1,
        doc: 'Services per direction with series of their own; the rest is counted together.',
        reason: 'with all of them in use a scrape has about 4 MB',
      }),
      compatibility: s.boolean({
        default: true,
        doc: 'Also offers the series of the original mesher (requests_total and so on).',
        reason: 'its Grafana dashboard goes on working',
      }),
      port: s.integer({
        min: 1,
        max: 65_535,
        doc: 'Port that answers every GET with the page of /metrics, beside the admin port (NETRA_PROMETHEUS_PORT; 14958 with netramesh). There is none when it is left out.',
      }),
      host: s.string({
        default: '::',
        doc: 'Address of that port.',
        reason:
          'whoever sets it wants to be scraped by another machine; the page shows names and numbers of services, nothing else. Where there is no IPv6 it is 0.0.0.0',
      }),
    },
    { doc: 'What is counted.' },
  ),
});

export type AdminConfig = Infer<typeof adminSchema>;
export type PluginChoice = Infer<typeof pluginSchema>;
export type MesherConfig = Infer<typeof mesherSchema>;
/** One additional TCP listener: outbound when `service` is set, inbound when `target` is. */
export type TcpListenerConfig = Infer<typeof listenerSchema>;
