import { s } from '../schema/combinators.js';
import type { Infer } from '../schema/schema.js';

const policy = s.object(
  {
    match: s.string({
      doc: 'Mark of the calls it is for; its own name when left out, `none` for calls without a mark.',
    }),
    type: s.oneOf(['delay', 'abort'], { default: 'delay', ignoreCase: true, doc: 'What is injected.' }),
    percentage: s.number({
      default: 0,
      min: 0,
      max: 100,
      doc: 'Share of the calls.',
      reason: 'nobody is harmed by default',
    }),
    delayTime: s.duration({
      default: '0',
      max: '1h',
      bareUnit: 'ms',
      doc: 'delay: how long; a bare number means milliseconds.',
    }),
    errorCode: s.integer({
      default: 500,
      min: 200,
      max: 599,
      doc: 'abort: status to answer with.',
      reason: 'the default of java-chassis',
    }),
    fallbackType: s.oneOf(['ThrowException', 'ReturnNull'], {
      default: 'ThrowException',
      ignoreCase: true,
      doc: 'abort: ThrowException answers with errorCode, ReturnNull with 200 and no body.',
    }),
    forceClosed: s.boolean({ default: false, doc: 'Switches the policy off.' }),
    name: s.string({ doc: 'A name for people; java-chassis has it.' }),
  },
  {
    check: ({ type, percentage, delayTime }) =>
      type === 'delay' && percentage > 0 && delayTime < 1 ? 'a delay needs a delayTime of at least 1 ms' : undefined,
  },
);

/**
 * Faults injected into marked calls. A policy is for the calls that carry the mark in its key `match`, or the mark of its own name when it has no such key.
 */
export const markedFaultSchema = s.map(s.yaml(policy), {
  keyName: 'policy',
  doc: 'Faults injected into marked calls.',
});

/** One policy of `servicecomb.faultInjection`. */
export type MarkedFault = Infer<typeof policy>;
