import { s } from '../schema/combinators.js';
import type { Infer } from '../schema/schema.js';

function chains(direction: string, example: string) {
  return s.map(s.list(s.string(), { commaSeparated: true }), {
    keyName: 'chain',
    doc: `Handlers that ${direction} calls pass, in their order, separated by commas: ${example}. An empty chain gives the default one.`,
  });
}

/** `servicecomb.handler`: the chains of handlers. */
export const handlerSchema = s.object({
  chain: s.object({
    Consumer: chains('outgoing', '`outgoing: router,ratelimiter-consumer,bizkeeper-consumer,loadbalance,transport`'),
    Provider: chains('incoming', '`incoming: ratelimiter-provider,transport`'),
  }),
});

export type HandlerConfig = Infer<typeof handlerSchema>;
