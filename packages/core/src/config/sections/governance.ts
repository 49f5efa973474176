import { s } from '../schema/combinators.js';

function faultPolicy() {
  return s.object({
    fault: s.object({
      protocols: s.map(
        s.object({
          delay: s.object({
            fixedDelay: s.integer({ min: 0, doc: 'Milliseconds to wait.' }),
            percent: s.number({ min: 0, max: 100, doc: 'Share of calls that wait.' }),
          }),
          abort: s.object({
            httpStatus: s.integer({ min: 100, max: 599, doc: 'Status to answer with.' }),
            percent: s.number({ min: 0, max: 100, doc: 'Share of calls that are answered so.' }),
          }),
        }),
        { keyName: 'protocol' },
      ),
    }),
  });
}

function governanceSide() {
  return s.map(
    s.object({
      policy: faultPolicy(),
      route: s.free({ doc: 'Route rules of the service.' }),
      schemas: s.map(s.object({ policy: faultPolicy(), operations: s.free({ doc: 'Policies by operation.' }) }), {
        keyName: 'schema',
      }),
    }),
    { keyName: 'service' },
  );
}

export const governanceSchema = s.object(
  { Consumer: governanceSide(), Provider: governanceSide() },
  {
    doc: 'Faults to inject, by service; `_global` stands for every service.',
    notYet: 'faults will act on it',
    section: 'cse.governance',
  },
);
