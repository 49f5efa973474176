import type { Instance } from '../../registry/instance.js';
import { httpInstance } from '../../testing/instances.js';

/** Instances of the service `world`, by version. */
export const V1: Instance = httpInstance('10.0.0.1:80', { instanceId: 'one', version: '1.0' });
export const V2: Instance = httpInstance('10.0.0.2:80', { instanceId: 'two', version: '2.0' });
export const V10: Instance = httpInstance('10.0.0.3:80', {
  instanceId: 'ten',
  version: '10.0',
  metadata: { zone: 'b' },
});

export const WORLD: Readonly<Record<string, readonly Instance[]>> = { world: [V1, V2, V10] };

/** Rules of the service `world`, as a YAML text. */
export function rules(yaml: string): Readonly<Record<string, string>> {
  const lines = yaml.trimEnd().split('\n');
  return {
    'router.yaml': `servicecomb:\n  routeRule:\n    world: |\n${lines.map((line) => `      ${line}\n`).join('')}`,
  };
}
