export { bucketScript } from './bucket-script.js';
export type { RedisScript } from './bucket-script.js';
export { RedisConnection } from './redis-connection.js';
export type { RedisConnectionParts } from './redis-connection.js';
export { RedisLimiter, redisLimiter } from './redis-limiter.js';
export type { CommandSender } from './redis-limiter.js';
export { redisLimiterSchema } from './settings.js';
export type { RedisLimiterSettings } from './settings.js';
