import { explicitInject } from './explicit-inject.mjs';
import { typescriptRuleTester } from './rule-tester.mjs';

const missing = (name) => ({ messageId: 'missing', data: { name, owner: 'Directory' } });

typescriptRuleTester().run('mesher/explicit-inject', explicitInject, {
  valid: [
    {
      name: 'accepts a class whose every parameter names its token',
      code: '@injectable() class Directory { constructor(@inject(CLOCK) private readonly clock: Clock, @injectAll(REGISTRY) registries: Registry[]) {} }',
    },
    { name: 'accepts a class without a constructor', code: '@singleton() class Directory {}' },
    {
      name: 'leaves classes alone that the container does not construct',
      code: 'class Directory { constructor(private readonly clock: Clock) {} }',
    },
    {
      name: 'leaves classes alone that carry only other decorators',
      code: '@registry([]) class Directory { constructor(clock: Clock) {} }',
    },
    {
      name: 'looks at the implementation of an overloaded constructor',
      code: '@injectable() class Directory { constructor(clock: Clock); constructor(@inject(CLOCK) clock: unknown) {} }',
    },
  ],
  invalid: [
    {
      name: 'reports a plain parameter of an injectable class',
      code: '@injectable() class Directory { constructor(clock: Clock) {} }',
      errors: [missing('clock')],
    },
    {
      name: 'reports a parameter property of a singleton, also behind another decorator and a namespace',
      code: '@other() @tsyringe.singleton() class Directory { constructor(@inject(CLOCK) clock: Clock, private readonly timers: Timers) {} }',
      errors: [missing('timers')],
    },
    {
      name: 'reports a parameter with a default value',
      code: '@injectable() class Directory { constructor(limit = 5) {} }',
      errors: [missing('limit')],
    },
    {
      name: 'reports @inject without a token',
      code: '@injectable() class Directory { constructor(@inject() clock: Clock) {} }',
      errors: [missing('clock')],
    },
    {
      name: 'reports @inject that is not called',
      code: '@injectable() class Directory { constructor(@inject clock: Clock) {} }',
      errors: [missing('clock')],
    },
    {
      name: 'reports a parameter that carries some other decorator',
      code: '@injectable() class Directory { constructor(@delayed(CLOCK) clock: Clock) {} }',
      errors: [missing('clock')],
    },
    {
      name: 'reports class expressions as well',
      code: 'export const make = () => { @injectable() class Directory { constructor(clock: Clock) {} } return Directory; };',
      errors: [missing('clock')],
    },
  ],
});
