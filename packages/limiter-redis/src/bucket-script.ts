import { createHash } from 'node:crypto';

/**
 * The token bucket, counted by Redis in one step that nothing comes between. It asks the server for the time, so that the clocks of
 * the sidecars do not matter. A bucket that would be full again is forgotten: that is what a new one is.
 *
 * KEYS[1] the limit; ARGV rate per second, burst, calls asked for. Answers: granted, left, milliseconds until one more (0 when all
 * that was asked for was granted). Numbers are kept with 17 digits, since what Redis makes of them by itself loses the milliseconds.
 */
const BUCKET_SCRIPT = `
local rate, burst, asked = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + tonumber(time[2]) / 1000
local state = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens, at = tonumber(state[1]), tonumber(state[2])
if tokens == nil or at == nil then tokens, at = burst, now end
tokens = math.min(burst, tokens + math.max(0, now - at) * rate / 1000)
local granted = math.min(asked, math.floor(tokens + 1e-9))
tokens = math.max(0, tokens - granted)
redis.call('HSET', KEYS[1], 'tokens', string.format('%.17g', tokens), 'at', string.format('%.17g', math.max(at, now)))
redis.call('PEXPIRE', KEYS[1], math.ceil((burst - tokens) * 1000 / rate) + 1000)
local wait = 0
if granted < asked then wait = math.max(1, math.ceil((1 - tokens) * 1000 / rate)) end
return {granted, math.floor(tokens + 1e-9), wait}
`.trim();

/** A script and the name by which Redis knows it once it has seen it. */
export interface RedisScript {
  readonly text: string;
  readonly sha: string;
}

/** The script that counts a limit. */
export const bucketScript: RedisScript = {
  text: BUCKET_SCRIPT,
  // Redis names scripts by their SHA-1; nothing is kept secret by it.
  sha: createHash('sha1').update(BUCKET_SCRIPT).digest('hex'),
};
