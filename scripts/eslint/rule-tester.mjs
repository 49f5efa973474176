import { RuleTester } from 'eslint';
import tseslint from 'typescript-eslint';

RuleTester.describe = describe;
RuleTester.it = it;
RuleTester.itOnly = it;

/** ESLint's RuleTester inside mocha, for rules about TypeScript sources. */
export function typescriptRuleTester() {
  return new RuleTester({ languageOptions: { parser: tseslint.parser } });
}
