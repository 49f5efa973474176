import { s } from '../schema/combinators.js';
import { patternSchema } from '../schema/pattern.js';
import type { Infer } from '../schema/schema.js';

/** A timeout that is not set is so much of the interval: two checks that time out still end within one interval. */
const TIMEOUT_PART = 4;
/** An application that needs longer than this to say how it is does not do well; mesher (Go) waited 10 s for TCP and 60 s for HTTP. */
const LONGEST_DEFAULT_TIMEOUT_MS = 5_000;

const checkSchema = s.object(
  {
    port: s.integer({ required: true, min: 1, max: 65_535, doc: 'Port of the local service.' }),
    protocol: s.string({
      doc: 'rest or http (an HTTP request), tcp (a connection), grpc (grpc.health.v1), or a health-checker from a plugin, by name or module. tcp when left out, and with a warning for a name that nobody has.',
    }),
    uri: s.string({
      pattern: /^\//,
      expectation: "a path that starts with '/'",
      doc: 'rest: path to ask for, / when left out. grpc: name of the service to ask about (/shop.Orders), the whole server when left out.',
    }),
    interval: s.duration({
      default: '30s',
      min: '1s',
      max: '24h',
      bareUnit: 's',
      doc: 'Longest time between two checks.',
      reason: 'the value of the original mesher',
    }),
    jitter: s.number({
      default: 0.1,
      min: 0,
      max: 0.5,
      doc: 'A check comes up to this part of the interval earlier, at random.',
      reason: 'checks of many sidecars of one machine do not stay in step',
    }),
    timeout: s.duration({
      min: '10ms',
      bareUnit: 's',
      doc: 'Longest time of one check, at most the interval; a quarter of the interval but no more than 5s when left out.',
    }),
    unhealthyThreshold: s.integer({
      default: 2,
      min: 1,
      max: 100,
      doc: 'Failed checks in a row until the instance is DOWN. The further ones follow at confirmInterval.',
      reason: 'one lost check is no reason to lose an instance',
    }),
    healthyThreshold: s.integer({
      default: 1,
      min: 1,
      max: 100,
      doc: 'Passed checks in a row until the instance is UP again. The further ones follow at confirmInterval.',
      reason: 'who answers can be called; the original mesher did the same',
    }),
    confirmInterval: s.duration({
      min: '10ms',
      bareUnit: 's',
      doc: 'Time until the next check while a change is to be confirmed; a quarter of the interval when left out.',
    }),
    match: s.object(
      {
        status: s.integer({
          min: 100,
          max: 599,
          doc: 'The status that counts as healthy; any below 500 when left out.',
        }),
        body: patternSchema({ doc: 'Regular expression (RE2) that is found in the body.' }),
        maxBody: s.bytes({
          default: '64KB',
          min: '1B',
          max: '16MB',
          doc: 'So much of the body is looked at.',
          reason: 'a page about health is short, and reading costs memory',
        }),
      },
      { doc: 'What a healthy answer looks like; for rest, and for plugins that look at it.' },
    ),
  },
  {
    check: ({ interval, timeout }) =>
      timeout !== undefined && timeout > interval ? 'timeout must not be above interval' : undefined,
  },
);

/** `localHealthCheck`: checks of the local application. */
export const localHealthCheckSchema = s.list(checkSchema, {
  doc: 'Checks of the local application, which set the status of this instance in the registry: DOWN while one of them fails.',
  default: [],
});

export type LocalHealthCheckConfig = NonNullable<Infer<typeof localHealthCheckSchema>>[number];

/** The times of a check that depend on its interval, in milliseconds. */
export function healthCheckTimes({ interval, timeout, confirmInterval }: LocalHealthCheckConfig): {
  readonly timeoutMs: number;
  readonly confirmMs: number;
} {
  const part = interval / TIMEOUT_PART;
  return {
    timeoutMs: timeout ?? Math.min(part, LONGEST_DEFAULT_TIMEOUT_MS),
    confirmMs: Math.min(confirmInterval ?? part, interval),
  };
}
