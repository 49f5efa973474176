import { markedBulkheadSchema } from './marked-bulkhead.js';
import { markedCircuitBreakerSchema } from './marked-circuit-breaker.js';
import { markedFaultSchema } from './marked-fault.js';
import { markedRateLimitSchema } from './marked-rate-limit.js';
import { markedRetrySchema } from './marked-retry.js';

/** Policies for calls that carry a mark (`servicecomb.match`), by the names that go-chassis and java-chassis give them. */
export const MARKED_SECTIONS = {
  'servicecomb.rateLimiting': markedRateLimitSchema,
  'servicecomb.retry': markedRetrySchema,
  'servicecomb.circuitBreaker': markedCircuitBreakerSchema,
  'servicecomb.bulkhead': markedBulkheadSchema,
  'servicecomb.faultInjection': markedFaultSchema,
};
