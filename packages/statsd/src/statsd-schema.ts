import { s, type Infer } from '@mesher/core';

/** Which numbers are sent: names of chapters of the metrics reference, and `responses`, which is one counter of netramesh. */
export const FAMILY_GROUPS = [
  'responses',
  'calls',
  'policies',
  'configuration',
  'connections',
  'registry',
  'health',
  'process',
] as const;

export type FamilyGroup = (typeof FAMILY_GROUPS)[number];

const DEFAULT_GROUPS: readonly FamilyGroup[] = ['responses', 'calls', 'policies'];

/** `mesher.statsd`: numbers for a StatsD server. */
export const statsdSchema = s.object(
  {
    enabled: s.boolean({
      default: false,
      doc: 'Sends what is counted to a StatsD server (NETRA_STATSD_ENABLED).',
      reason: 'not everybody has one',
    }),
    address: s.address({
      default: '127.0.0.1:8125',
      doc: 'Host and UDP port of the server (NETRA_STATSD_ADDRESS). A name is looked up again every minute.',
      reason: 'the port that StatsD has; an agent on this machine is usual',
    }),
    prefix: s.string({
      default: '',
      pattern: /^[^\s:|@#]*$/,
      expectation: 'a text without spaces and without : | @ #',
      doc: 'What all names begin with, before a dot (NETRA_STATSD_PREFIX). With an empty one, names have no dot before them.',
    }),
    flushInterval: s.duration({
      default: '1s',
      min: '100ms',
      max: '10m',
      doc: 'Time between two looks at what was counted.',
      reason: 'shorter than the interval of any server, usually 10s, so that none of its intervals is empty',
    }),
    maxBufferSize: s.bytes({
      default: '1440',
      min: '128',
      max: '64KB',
      doc: 'Bytes of a datagram.',
      reason: 'as with netramesh: it fits into a frame of Ethernet with IPv6; larger ones are for loopback',
    }),
    tags: s.oneOf(['none', 'dogstatsd'], {
      default: 'none',
      doc: 'none: what a number is about stands in its name, as plain StatsD wants it. dogstatsd: it stands in tags (|#service:orders).',
      reason: 'every server understands names',
    }),
    families: s.list(s.oneOf(FAMILY_GROUPS), {
      commaSeparated: true,
      default: [...DEFAULT_GROUPS],
      doc: 'What is sent: responses is the counter <direction>.<status> of netramesh, the others are chapters of the metrics reference.',
      reason: 'what people ask StatsD for; the rest is at /metrics',
    }),
  },
  { doc: 'StatsD.' },
);

export type StatsdOptions = Infer<typeof statsdSchema>;
