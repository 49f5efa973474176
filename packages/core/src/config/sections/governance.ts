import { whatIsWrongWithFaults } from '../../resilience/fault/fault-check.js';
import { GRPC_STATUS_NAMES } from '../../grpc/status.js';
import { s } from '../schema/combinators.js';
import type { Infer } from '../schema/schema.js';
import { valueMatchSchema } from './match.js';

/** Longest delay: a call that nobody waits for any more costs memory until it is over. */
const LONGEST_DELAY = '1h';

const delay = s.object({
  fixedDelay: s.duration({
    bareUnit: 'ms',
    max: LONGEST_DELAY,
    doc: 'How long to wait; a bare number means milliseconds. At least 1 ms; 0 counts as not set.',
  }),
  percent: s.number({ min: 0, max: 100, doc: 'Share of calls that wait; 0 counts as not set.' }),
});

const ABORT = {
  httpStatus: s.integer({ min: 0, max: 599, doc: 'Status to answer with, 200 to 599; 0 counts as not set.' }),
  percent: s.number({ min: 0, max: 100, doc: 'Share of calls that are answered so; 0 counts as not set.' }),
};

const faultOfProtocol = s.object({ delay, abort: s.object(ABORT) });

const GRPC_NAMES = GRPC_STATUS_NAMES.flatMap((name) => [name, name.replaceAll('_', '-')]);

const faultOfGrpc = s.object({
  delay,
  abort: s.object({
    ...ABORT,
    grpcStatus: s.string({
      pattern: new RegExp(`^(?:\\d|1[0-6]|${GRPC_NAMES.join('|')})$`, 'i'),
      expectation: 'a gRPC status such as unavailable, RESOURCE_EXHAUSTED or 14',
      doc: 'gRPC status to answer with, by name or number, before httpStatus; 0 counts as not set. Without either it is UNAVAILABLE.',
    }),
  }),
});

const policySchema = s.object({
  fault: s.object({
    match: s.object(
      {
        headers: s.map(valueMatchSchema, {
          keyName: 'header',
          doc: 'Header fields, all of which must match for this level to count.',
        }),
        cookie: s.map(valueMatchSchema, { keyName: 'cookie', doc: 'Cookies, all of which must match.' }),
      },
      { doc: 'For which calls this level counts; all when left out.' },
    ),
    protocols: s.object({
      rest: faultOfProtocol,
      http: faultOfProtocol,
      grpc: faultOfGrpc,
      tcp: faultOfProtocol,
      dubbo: s.free({ doc: 'Faults of dubbo calls.', notYet: 'dubbo will act on it' }),
      highway: s.free({ doc: 'Faults of highway calls.', obsolete: 'highway is not spoken here' }),
    }),
  }),
});

const sideSchema = s.map(
  s.object({
    policy: policySchema,
    route: s.free({ doc: 'Route rules of the service.', obsolete: 'no version reads them; use servicecomb.routeRule' }),
    schemas: s.map(
      s.object({
        policy: policySchema,
        operations: s.map(s.object({ policy: policySchema }), { keyName: 'operation' }),
      }),
      { keyName: 'schema' },
    ),
  }),
  { keyName: 'service' },
);

/** `cse.governance`: faults to inject. Each value comes from the innermost level that sets it: operation, schema, service, `_global`. */
export const governanceSchema = s.object(
  { Consumer: sideSchema, Provider: sideSchema },
  {
    doc: 'Faults to inject, by service; `_global` stands for every service.',
    check: ({ Consumer, Provider }) =>
      whatIsWrongWithFaults('cse.governance.Consumer', Consumer) ??
      whatIsWrongWithFaults('cse.governance.Provider', Provider),
  },
);

/** What is set at one level. */
export type FaultConfig = NonNullable<Infer<typeof policySchema>['fault']>;
/** Faults of one side, by service. */
export type FaultSideConfig = Infer<typeof sideSchema>;
