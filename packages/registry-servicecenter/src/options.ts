import { KEPT_INSTANCE_FIELDS, s, type Infer } from '@mesher/core';

/** `servicecomb.registry.servicecenter`: what go-chassis has no key for. */
export const serviceCenterSchema = s.object(
  {
    registerBy: s.oneOf(['SIDECAR', 'SDK'], {
      default: 'SIDECAR',
      doc: 'How service-center shows who registered the instance; SDK for Mesher inside an application.',
    }),
    heartbeatTimes: s.integer({
      default: 3,
      min: 3,
      max: 100,
      doc: 'Heartbeats that may be missing. The lease is the interval times one more than this.',
      reason: 'the least that service-center takes, and its default',
    }),
    batchSize: s.integer({
      default: 100,
      min: 1,
      max: 1_000,
      doc: 'Most services that one question asks for.',
      reason: 'an answer about as many usually fits a few hundred kilobytes',
    }),
    fullRefresh: s.duration({
      default: '5m',
      min: '1s',
      max: '24h',
      doc: 'Time between two questions for everything, whatever the revision is.',
      reason:
        'bounds how long a node of service-center with a wrong cache can mislead; the others cost next to nothing',
    }),
    serviceTags: s.boolean({
      default: false,
      doc: 'Reads the tags that service-center has of each version of a service; route rules and load balancers see them at each instance, below its own properties.',
      reason:
        'service-center does not list them with the instances: it takes a request per version at first, and with each fullRefresh',
    }),
    hintDelay: s.duration({
      default: '200ms',
      min: '1ms',
      max: '10s',
      doc: 'Longest time, drawn at random, between an event of the watch and the question that it causes.',
      reason: 'events come in groups, and all clients of a service get them at once',
    }),
    emptyGrace: s.duration({
      default: '60s',
      min: '0s',
      max: '1h',
      doc: 'How long instances are kept that vanished together (all of a service, or 80 % of more than 5) while they accept connections; 0s: not at all.',
      reason:
        'a service-center that lost its memory lists nothing until all have registered again, which takes a heartbeat or two; instances of which it says by an event that they are gone are not kept',
    }),
    ...KEPT_INSTANCE_FIELDS,
    quarantine: s.duration({
      default: '15s',
      min: '10ms',
      max: '1h',
      doc: 'How long an address of service-center that failed is left out before it is probed.',
      reason: 'as in go-chassis; a restart takes about as long',
    }),
    socketSilence: s.duration({
      default: '100s',
      min: '10ms',
      max: '1h',
      doc: 'After how long without a ping of service-center a WebSocket is given up.',
      reason: 'it pings every 30s; three may be lost',
    }),
    minRetryDelay: s.duration({
      default: '500ms',
      min: '1ms',
      max: '1m',
      doc: 'Longest first pause after trouble; doubled each time, and the pause drawn at random from 0 up to it.',
      reason: 'a service-center that restarts is back within seconds',
    }),
    maxRetryDelay: s.duration({
      default: '30s',
      min: '1ms',
      max: '1h',
      doc: 'Longest pause of all.',
      reason: 'bounds how long news are late after a long outage, and spreads the clients that come back',
    }),
    tlsReload: s.duration({
      default: '10s',
      min: '100ms',
      max: '24h',
      doc: 'Time between two looks at the files of ssl.registry.Consumer, give or take a fifth; new connections use what is new.',
      reason: 'certificates are renewed hours before they run out, and four small files are read in no time',
    }),
    reconnectSpread: s.duration({
      default: '15s',
      min: '1ms',
      max: '10m',
      doc: 'Longest pause, drawn at random, before a WebSocket (watch, ping-pong) that was lost is connected again; news take until the next refreshInterval meanwhile.',
      reason:
        'a restart ends those of all clients in one moment: a thousand then come back at 67 a second, and not within half a second',
    }),
    maxResponseBytes: s.bytes({
      default: '64MB',
      min: '64KB',
      max: '1GB',
      doc: 'Largest answer.',
      reason: '10,000 instances take 5 to 10 MB; more than this is no answer of service-center',
    }),
  },
  { doc: 'The service-center registry.' },
);

export type ServiceCenterOptions = Infer<typeof serviceCenterSchema>;
