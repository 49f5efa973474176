/** What a sampling server of Jaeger says about one service. */
export type SamplingStrategy =
  | { readonly kind: 'probabilistic'; readonly share: number }
  | { readonly kind: 'ratelimiting'; readonly perSecond: number }
  | {
      readonly kind: 'by-operation';
      /** Share of the operations that are not named. */
      readonly share: number;
      /** Traces per second that each operation has at least, whatever its share. */
      readonly atLeastPerSecond: number;
      readonly shares: ReadonlyMap<string, number>;
    };

/**
 * Understands an answer of `/sampling?service=` (https://www.jaegertracing.io/docs/1.62/apis/#remote-sampling-configuration-stable): that of
 * an agent, or of a collector. Zeros may be left out, and old agents number the types.
 * @throws Error when it is none
 */
export function parseStrategy(text: string): SamplingStrategy {
  const answer = objectOf(JSON.parse(text));
  const operations = answer['operationSampling'];
  if (operations !== undefined && operations !== null) return byOperation(objectOf(operations));
  const type = answer['strategyType'] ?? 0;
  if (type === 'PROBABILISTIC' || type === 0) return { kind: 'probabilistic', share: shareOf(answer) };
  if (type === 'RATE_LIMITING' || type === 1) {
    const perSecond = numberOf(objectOf(answer['rateLimitingSampling'])['maxTracesPerSecond']);
    return { kind: 'ratelimiting', perSecond };
  }
  throw new Error(`the strategy '${JSON.stringify(type)}' is not known`);
}

function byOperation(operations: Readonly<Record<string, unknown>>): SamplingStrategy {
  const list = operations['perOperationStrategies'] ?? [];
  if (!Array.isArray(list)) throw new Error('perOperationStrategies is no list');
  const shares = list.map((one): [string, number] => {
    const { operation, ...rest } = objectOf(one);
    if (typeof operation !== 'string') throw new Error('a strategy of an operation has no name');
    return [operation, shareOf(rest)];
  });
  return {
    kind: 'by-operation',
    share: boundedShare(numberOf(operations['defaultSamplingProbability'])),
    atLeastPerSecond: numberOf(operations['defaultLowerBoundTracesPerSecond']),
    shares: new Map(shares),
  };
}

function shareOf(of: Readonly<Record<string, unknown>>): number {
  return boundedShare(numberOf(objectOf(of['probabilisticSampling'])['samplingRate']));
}

function boundedShare(share: number): number {
  if (share > 1) throw new Error(`the share ${share} is more than all`);
  return share;
}

function numberOf(value: unknown = 0): number {
  if (typeof value === 'number' && value >= 0) return value;
  throw new Error(`${JSON.stringify(value)} is no share and no rate`);
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new Error('the answer is no sampling strategy');
}
