import { compilePattern, PatternError } from '../../routing/pattern.js';
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

/** What is wrong with a condition, or undefined. What passes here must compile: a rule that does not would end the process. */
function conditionProblem(text: string): string | undefined {
  const parts = DARKLAUNCH_CONDITION.exec(text);
  if (parts === null) return "is no condition such as 'user!=x'";
  const [, , operator = '', value = ''] = parts;
  if (operator.startsWith('>') || operator.startsWith('<')) {
    return value !== '' && Number.isFinite(Number(value)) ? undefined : `compares with '${value}', which is no number`;
  }
  if (operator !== '~') return undefined;
  try {
    compilePattern(value);
    return undefined;
  } catch (error) {
    if (error instanceof PatternError) return `has no regular expression as RE2 and Go know it: ${error.message}`;
    throw error;
  }
}

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
            for (const { policyCondition } of ruleItems) {
              const wrong = conditionProblem(policyCondition);
              if (wrong !== undefined) return `policyCondition '${policyCondition}' ${wrong}`;
            }
            return undefined;
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
