import { loopSchema } from '../chain/loop-options.js';
import { reloadSchema } from '../config/live/reload-options.js';
import { directorySchema } from '../registry/directory-options.js';
import { registrationSchema } from '../registry/registration-options.js';
import { deadlineSchema } from '../resilience/timeout/deadline-options.js';
import { faultInjectionSchema } from '../resilience/fault/fault-options.js';
import { rateLimitSchema } from '../resilience/rate-limit/rate-limit-options.js';
import { egressOptionsSchema } from '../routing/egress/egress-options.js';
import { routingSchema } from '../routing/routing-options.js';

/** Sections of the configuration that belong to parts of core which the chassis puts together. */
export const CHASSIS_SECTIONS = {
  'mesher.directory': directorySchema,
  'mesher.registration': registrationSchema,
  'mesher.deadline': deadlineSchema,
  'mesher.loopGuard': loopSchema,
  'mesher.rateLimit': rateLimitSchema,
  'mesher.faultInjection': faultInjectionSchema,
  'mesher.reload': reloadSchema,
  'mesher.egress': egressOptionsSchema,
  'mesher.routing': routingSchema,
} as const;
