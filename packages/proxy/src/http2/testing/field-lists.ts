import fc from 'fast-check';

/** Names and values of a block, names being unique: that is how Node takes them. */
export type FieldList = readonly (readonly [name: string, value: string])[];

const NAME = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('x-a', 'x-b', 'user-agent', 'content-type', 'grpc-timeout', 'traceparent') },
  { weight: 1, arbitrary: fc.stringMatching(/^x-[a-z0-9_]{1,80}$/) },
);
const VALUE = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('a', 'application/grpc', '/svc/Method', 'z'.repeat(500)) },
  { weight: 2, arbitrary: fc.stringMatching(/^[!-~]{1,40}$/) },
  { weight: 1, arbitrary: fc.stringMatching(/^[!-~][ -~]{0,300}[!-~]$/) },
);

/** Lists of fields in which names and values come again, as on real connections. */
export const FIELD_LISTS: fc.Arbitrary<FieldList> = fc.uniqueArray(fc.tuple(NAME, VALUE), {
  maxLength: 10,
  selector: ([name]) => name,
});
