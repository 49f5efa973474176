import type { ServiceCenterBehaviour } from './behaviour.js';
import { FIND_BEHAVIOURS } from './find-behaviours.js';
import { GOVERN_BEHAVIOURS } from './govern-behaviours.js';
import { INSTANCE_BEHAVIOURS } from './instance-behaviours.js';
import { LOGIN_BEHAVIOURS } from './login-behaviours.js';
import { SERVICE_BEHAVIOURS } from './service-behaviours.js';
import { WATCH_BEHAVIOURS } from './watch-behaviours.js';

/** What the double and the real service-center have in common. */
export const SERVICE_CENTER_BEHAVIOURS: readonly ServiceCenterBehaviour[] = [
  ...SERVICE_BEHAVIOURS,
  ...INSTANCE_BEHAVIOURS,
  ...FIND_BEHAVIOURS,
  ...WATCH_BEHAVIOURS,
  ...GOVERN_BEHAVIOURS,
  ...LOGIN_BEHAVIOURS,
];
