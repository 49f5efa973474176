import { circuitBreakerSchema } from './circuit-breaker.js';
import { fallbackPolicySchema, fallbackSchema } from './fallback.js';
import { flowcontrolSchema } from './flowcontrol.js';
import { governanceSchema } from './governance.js';
import { isolationSchema } from './isolation.js';
import { loadbalanceSchema } from './loadbalance.js';

/** `cse.*`: what decides about a call once its service is known. */
export const RESILIENCE_SECTIONS = {
  'cse.loadbalance': loadbalanceSchema,
  'cse.isolation': isolationSchema,
  'cse.circuitBreaker': circuitBreakerSchema,
  'cse.fallback': fallbackSchema,
  'cse.fallbackpolicy': fallbackPolicySchema,
  'cse.flowcontrol': flowcontrolSchema,
  'cse.governance': governanceSchema,
};
