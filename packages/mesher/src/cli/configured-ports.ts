import { isMeshError, readBootstrap } from '@mesher/core';
import { load } from '../sidecar/load.js';
import { ownPorts, planListeners } from '../sidecar/listen-plan.js';
import { transparentSchema } from '../transparent/transparent-schema.js';

/**
 * The ports on which the sidecar will listen by its configuration, so that rules of interception leave them alone wherever they were moved.
 * @param warn told why nothing can be known
 */
export async function configuredPorts(
  env: NodeJS.ProcessEnv,
  warn: (message: string) => void,
): Promise<readonly number[]> {
  try {
    const { confDir, configFile } = await readBootstrap({ args: [], env, cwd: process.cwd() });
    // The name may be on the command line of the sidecar alone, and no port depends on it.
    const overrides = { 'servicecomb.service.name': 'sidecar' };
    const { document } = (await load({ confDir, configFile, env, overrides })).configuration;
    if (document !== undefined) {
      const { port } = document.section('transparent', transparentSchema);
      return [...ownPorts(planListeners(document, 'transparent'), document), port].filter((own) => own > 0);
    }
    warn(`the configuration in ${confDir} has errors`);
  } catch (error) {
    if (!isMeshError(error)) throw error;
    warn(error.message);
  }
  return [];
}
