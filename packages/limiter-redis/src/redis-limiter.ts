import { definePlugin, type SharedGrant, type SharedLimit, type SharedLimiter } from '@mesher/core';
import { bucketScript } from './bucket-script.js';
import { RedisConnection } from './redis-connection.js';
import { redisLimiterSchema, type RedisLimiterSettings } from './settings.js';

/** What {@link RedisLimiter} needs of a connection. */
export interface CommandSender {
  command(words: readonly string[]): Promise<unknown>;
  close(): Promise<void>;
}

/** Counts limits in Redis, for all sidecars that have the same key prefix. */
export class RedisLimiter implements SharedLimiter {
  constructor(
    private readonly redis: CommandSender,
    private readonly keyPrefix: string,
  ) {}

  /** @throws Error when Redis cannot be reached, answers with an error, or with something that is not ours */
  async take({ key, rate, burst }: SharedLimit, count: number): Promise<SharedGrant> {
    const words = ['1', `${this.keyPrefix}${key}`, String(rate), String(burst), String(count)];
    let answer: unknown;
    try {
      answer = await this.redis.command(['EVALSHA', bucketScript.sha, ...words]);
    } catch (error) {
      // A server that was started again, or told to forget its scripts, learns it anew.
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      answer = await this.redis.command(['EVAL', bucketScript.text, ...words]);
    }
    const [granted, remaining, retryAfterMs] = numbersOf(answer);
    return { granted, remaining, retryAfterMs };
  }

  async close(): Promise<void> {
    await this.redis.close();
  }
}

function numbersOf(answer: unknown): [number, number, number] {
  const numbers = Array.isArray(answer) ? answer.map(Number) : [];
  const [granted, remaining, wait] = numbers;
  if (granted === undefined || remaining === undefined || wait === undefined || numbers.some(Number.isNaN)) {
    throw new Error(`Redis answered with ${JSON.stringify(answer)} instead of three numbers`);
  }
  return [granted, remaining, wait];
}

/** The shared limiter `redis`; its settings are `plugin.settings.redis`. */
export const redisLimiter = definePlugin<'shared-limiter', RedisLimiterSettings>({
  kind: 'shared-limiter',
  name: 'redis',
  configSchema: redisLimiterSchema,
  create: (settings, { ports, logger, confDir }) =>
    new RedisLimiter(new RedisConnection(settings, { ports, logger, confDir }), settings.keyPrefix),
});
