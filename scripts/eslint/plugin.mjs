import { declaredDependencies } from './declared-dependencies.mjs';
import { explicitInject } from './explicit-inject.mjs';
import { importBoundaries } from './import-boundaries.mjs';
import { noModuleState } from './no-module-state.mjs';

/** The rules that only this repository has. */
export const mesherPlugin = {
  meta: { name: 'eslint-plugin-mesher' },
  rules: {
    'declared-dependencies': declaredDependencies,
    'explicit-inject': explicitInject,
    'import-boundaries': importBoundaries,
    'no-module-state': noModuleState,
  },
};
