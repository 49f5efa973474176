import { KEPT_INSTANCE_FIELDS, s, type Infer } from '@mesher/core';
import { CONNECTION_FIELDS } from './client/connection-options.js';

/** `servicecomb.registry.consul` */
export const consulSchema = s.object(
  {
    ...CONNECTION_FIELDS,
    near: s.string({
      doc: 'Asks for instances in the order of their distance from this node (_agent: the own one), as people see them; balancing heeds zones, not this order.',
    }),
    warning: s.oneOf(['out', 'in'], {
      default: 'out',
      doc: 'Whether instances with a check in the state warning take calls.',
      reason: 'as passing=true in the clients of Consul; DNS of Consul takes them in',
    }),
    sameEnvironment: s.boolean({
      default: true,
      doc: 'Leaves out instances of which environment in the metadata is another than that of servicecomb.service. Instances without one stay.',
      reason: 'as in service-center, where services of another environment are other services',
    }),
    maxWatches: s.integer({
      default: 100,
      min: 1,
      max: 10_000,
      doc: 'Most services of which Consul is asked to hold back the answer at the same time; others are asked for every refreshInterval.',
      reason: 'each takes a connection, and an agent takes 200 of one client (limits.http_max_conns_per_client)',
    }),
    emptyGrace: s.duration({
      default: '60s',
      min: '0s',
      max: '1h',
      doc: 'How long instances are kept that vanished together (all of a service, or 80 % of more than 5) while they accept connections; 0s: not at all.',
      reason:
        'an agent that lost its memory, or that lost its servers, lists nothing until all have registered again; instances whose checks say that they are ill are not kept',
    }),
    ...KEPT_INSTANCE_FIELDS,
    check: s.oneOf(['ttl', 'http', 'tcp', 'grpc'], {
      default: 'ttl',
      doc: 'Who says that the instance is well: Mesher itself every third of ttl, or Consul, which asks the instance.',
      reason: 'works wherever the agent is, and tells what the local health checks found',
    }),
    ttl: s.duration({
      min: '1s',
      max: '1h',
      doc: 'How long an instance stays passing without a word from it; three times heartbeat.interval when left out, and 30s without that.',
      reason: 'Consul takes 1s and more',
    }),
    checkUrl: s.string({
      doc: 'What Consul asks with check: http; a path such as /health is asked at the first address of the instance.',
    }),
    checkAddress: s.string({
      doc: 'What Consul asks with check: tcp or grpc (host:port, for grpc with /service); the first address of the instance, or its address for grpc, when left out.',
    }),
    checkInterval: s.duration({
      default: '10s',
      min: '1s',
      max: '1h',
      doc: 'Time between two checks by Consul.',
      reason: 'the one in the documentation of Consul',
    }),
    checkTimeout: s.duration({
      default: '5s',
      min: '100ms',
      max: '10m',
      doc: 'How long such a check may take.',
      reason: 'shorter than the time between two',
    }),
    deregisterCriticalAfter: s.duration({
      default: '10m',
      min: '0s',
      max: '720h',
      doc: 'After how long in the state critical Consul takes the instance out; 1m at least, 0s: never. One that is alive registers again.',
      reason: 'sweeps up after processes that were killed, and gives one that restarts time',
    }),
    onStop: s.oneOf(['deregister', 'maintenance'], {
      default: 'deregister',
      doc: 'What happens to the registration at a stop; in maintenance it can be seen until deregisterCriticalAfter.',
      reason: 'who stops is gone',
    }),
    stopTimeout: s.duration({
      default: '3s',
      min: '10ms',
      max: '1m',
      doc: 'How long a request at a stop may take.',
      reason: 'shorter than mesher.registration.leaveTimeout, so that the log tells why',
    }),
    tags: s.list(s.string(), { commaSeparated: true, doc: 'Tags of the registration.' }),
    enableTagOverride: s.boolean({
      default: false,
      doc: 'Lets others change the tags of the registration in the catalog.',
      reason: 'as in Consul',
    }),
    warningWeight: s.integer({
      default: 1,
      min: 0,
      max: 65_535,
      doc: 'Weight of the instance in DNS of Consul while a check is in the state warning.',
      reason: 'as in Consul',
    }),
  },
  { doc: 'The Consul registry.' },
);

export type ConsulOptions = Infer<typeof consulSchema>;
