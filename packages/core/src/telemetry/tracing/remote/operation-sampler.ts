import { makeSampler, type Sampler } from '../samplers.js';
import type { SamplingStrategy } from './sampling-strategy.js';

/** A sampler that does what a strategy says. @param maxOperations different operations that are told apart */
export function samplerFor(strategy: SamplingStrategy, maxOperations: number): Sampler {
  switch (strategy.kind) {
    case 'probabilistic':
      return makeSampler('probabilistic', strategy.share);
    case 'ratelimiting':
      return makeSampler('ratelimiting', strategy.perSecond);
    case 'by-operation':
      return new OperationSampler(strategy, maxOperations);
  }
}

/** A share for each operation, and some traces of each of them even where its share is small. */
class OperationSampler implements Sampler {
  readonly byOperation = true;
  readonly #samplers = new Map<string, Sampler>();
  readonly #others: Sampler;

  constructor(
    private readonly strategy: Extract<SamplingStrategy, { kind: 'by-operation' }>,
    private readonly maxOperations: number,
  ) {
    this.#others = makeSampler('probabilistic', strategy.share);
  }

  decide(traceId: string, now: number, operation: string): boolean {
    return this.#of(operation).decide(traceId, now, operation);
  }

  #of(operation: string): Sampler {
    const known = this.#samplers.get(operation);
    if (known !== undefined) return known;
    if (this.#samplers.size >= this.maxOperations) return this.#others;
    const { atLeastPerSecond, share, shares } = this.strategy;
    // Jaeger's own clients, and netramesh, name no method: strategies that were written for them hold as they are.
    const withoutMethod = operation.slice(operation.indexOf(' ') + 1);
    const shareHere = shares.get(operation) ?? shares.get(withoutMethod) ?? share;
    const sampler = guaranteed(makeSampler('probabilistic', shareHere), atLeastPerSecond);
    this.#samplers.set(operation, sampler);
    return sampler;
  }
}

function guaranteed(sampler: Sampler, perSecond: number): Sampler {
  if (perSecond === 0) return sampler;
  const least = makeSampler('ratelimiting', perSecond);
  return {
    decide: (traceId, now, operation) => {
      // Those that the share takes count towards what is guaranteed.
      const isWithin = least.decide(traceId, now, operation);
      return sampler.decide(traceId, now, operation) || isWithin;
    },
  };
}
