import { join } from 'node:path';
import type { Flags } from '../cli/flags.js';
import type { Found } from './candidate.js';
import { customCandidate } from './custom.js';
import { findEnvoy } from './envoy.js';
import { findHaproxy } from './haproxy.js';
import { findMesher } from './mesher.js';
import { findNginx } from './nginx.js';
import { findNodeHttp2 } from './node-http2.js';

/**
 * Every candidate that this machine has, and the reasons for those that it has not; both reduced to `--only`.
 *
 * @param repository the root of the checkout
 * @throws Error when a name in `--only` fits no candidate at all
 */
export function findCandidates(repository: string, flags: Flags): Found {
  const all = [
    findMesher(repository, flags.mesherNode),
    findNginx(),
    findHaproxy(),
    findEnvoy(join(repository, 'bench', '.cache')),
    findNodeHttp2(),
    { candidates: flags.custom.map(customCandidate), missing: [] },
  ];
  const candidates = all.flatMap((found) => found.candidates);
  const missing = all.flatMap((found) => found.missing);
  const ids = [...candidates, ...missing].map(({ id }) => id);
  const doubled = ids.find((id, index) => ids.indexOf(id) !== index);
  if (doubled !== undefined) throw new Error(`two candidates are named ${doubled}; give --candidate another name`);
  for (const name of flags.only) {
    if (!ids.some((id) => id.startsWith(name))) {
      throw new Error(`--only: no candidate begins with "${name}"; there are ${ids.join(', ')}`);
    }
  }
  const chosen = ({ id }: { readonly id: string }): boolean =>
    flags.only.length === 0 || flags.only.some((name) => id.startsWith(name));
  return { candidates: candidates.filter(chosen), missing: missing.filter(chosen) };
}
