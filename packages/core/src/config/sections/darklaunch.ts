import { s } from '../schema/combinators.js';
import type { Infer } from '../schema/schema.js';

const darklaunchItemSchema = s.object({
  groupName: s.string({ doc: 'A name for people.' }),
  groupCondition: s.string({
    required: true,
    pattern: /^\s*[^=;\s]+\s*=[^=;]+(;\s*[^=;\s]+\s*=[^=;]+)*;?\s*$/,
    expectation: "tags such as 'version=1.0,1.1'",
    doc: 'Tags of the instances: `version=1.0,1.1`.',
  }),
  policyCondition: s.string({
    required: true,
    doc: 'RATE: percent of the calls. RULE: a header, an operator (= != > >= < <= ~) and a value.',
  }),
  caseInsensitive: s.boolean({ default: false, doc: 'Letter case of the value makes no difference.' }),
});

/** A condition of `darklaunch.policy`, taken apart. */
export const DARKLAUNCH_CONDITION: RegExp = /^\s*([\w.-]+)\s*(!=|>=|<=|=|>|<|~)\s*(.*?)\s*$/s;

/** `servicecomb.darklaunch.policy`: route rules of the first kind, JSON in a text. */
export const darklaunchSchema = s.map(
  s.yaml(
    s.object(
      {
        policyType: s.oneOf(['RATE', 'RULE'], {
          ignoreCase: true,
          required: true,
          doc: 'RATE: by share; RULE: by header.',
        }),
        ruleItems: s.list(darklaunchItemSchema, { required: true, doc: 'Groups of instances and who goes there.' }),
      },
      {
        check: ({ policyType, ruleItems }) => {
          if (policyType === 'RULE') {
            const wrong = ruleItems.find(({ policyCondition }) => !DARKLAUNCH_CONDITION.test(policyCondition));
            return wrong === undefined
              ? undefined
              : `policyCondition '${wrong.policyCondition}' is no condition such as 'user!=x'`;
          }
          const shares = ruleItems.map(({ policyCondition }) => Number(policyCondition));
          if (!shares.every((share) => Number.isInteger(share) && share >= 0))
            return 'policyCondition must be a whole percentage for RATE';
          const sum = shares.reduce((total, share) => total + share, 0);
          return sum > 100 ? `the percentages of its groups add up to ${sum}; at most 100 are possible` : undefined;
        },
      },
    ),
  ),
  {
    keyName: 'service',
    doc: 'Route rules of the first kind, as JSON. Rules of servicecomb.routeRule for the same service come first.',
  },
);

export type DarklaunchConfig = Infer<typeof darklaunchSchema> extends ReadonlyMap<string, infer V> ? V : never;
