import { ACL_BEHAVIOURS } from './acl-behaviours.js';
import type { ConsulBehaviour } from './behaviour.js';
import { CHECK_BEHAVIOURS } from './check-behaviours.js';
import { FINDING_BEHAVIOURS } from './finding-behaviours.js';
import { KV_BEHAVIOURS } from './kv-behaviours.js';
import { REGISTERING_BEHAVIOURS } from './registering-behaviours.js';

/** What the double and the real Consul agent have in common. */
export const CONSUL_BEHAVIOURS: readonly ConsulBehaviour[] = [
  ...REGISTERING_BEHAVIOURS,
  ...CHECK_BEHAVIOURS,
  ...FINDING_BEHAVIOURS,
  ...KV_BEHAVIOURS,
  ...ACL_BEHAVIOURS,
];
