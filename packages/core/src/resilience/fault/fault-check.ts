import type { FaultConfig, FaultSideConfig } from '../../config/sections/governance.js';
import type { CallProtocol } from '../../invocation.js';
import { whatIsWrongWithPath } from '../rate-limit/operation-path.js';
import { resolveValues, valuesOf } from './fault-values.js';

const PROTOCOLS: readonly CallProtocol[] = ['http', 'grpc', 'tcp'];

/** Whose faults all services have unless they set their own. */
export const GLOBAL_FAULTS = '_global';

/** The levels that count for calls of one kind, the innermost first, and what they are called. */
interface Levels {
  readonly name: string;
  readonly faults: readonly FaultConfig[];
}

/**
 * What is wrong with faults as they add up over the levels, or undefined: a share of calls is to be aborted, but nothing says with
 * which status, and the like.
 */
export function whatIsWrongWithFaults(prefix: string, side: FaultSideConfig): string | undefined {
  for (const [service, { schemas }] of side) {
    for (const [schema, { operations }] of schemas) {
      const paths = [...operations.keys()].filter((name) => name.startsWith('/'));
      const wrong = paths.map(whatIsWrongWithPath).find((problem) => problem !== undefined);
      if (wrong !== undefined) return `${prefix}.${service}.schemas.${schema}.operations: ${wrong}`;
    }
  }
  for (const { name, faults } of allLevels(side)) {
    for (const protocol of PROTOCOLS) {
      const wrong = whatIsWrong(faults, protocol);
      if (wrong !== undefined) return `${prefix}.${name}: ${wrong}`;
    }
  }
  return undefined;
}

function* allLevels(side: FaultSideConfig): Generator<Levels> {
  const global = side.get(GLOBAL_FAULTS)?.policy.fault;
  const outer = global === undefined ? [] : [global];
  for (const [service, { policy, schemas }] of side) {
    const ofService = service === GLOBAL_FAULTS ? outer : [policy.fault, ...outer];
    yield { name: service, faults: ofService };
    for (const [schema, ofSchema] of schemas) {
      const inner = [ofSchema.policy.fault, ...ofService];
      yield { name: `${service}.schemas.${schema}`, faults: inner };
      for (const [operation, ofOperation] of ofSchema.operations) {
        yield {
          name: `${service}.schemas.${schema}.operations.${operation}`,
          faults: [ofOperation.policy.fault, ...inner],
        };
      }
    }
  }
}

function whatIsWrong(faults: readonly FaultConfig[], protocol: CallProtocol): string | undefined {
  const { values } = resolveValues(faults.map((fault) => valuesOf(fault, protocol)));
  const where = `for ${protocol === 'http' ? 'rest' : protocol}`;
  if (values.abortStatus !== 0 && values.abortStatus < 200) {
    return `abort.httpStatus ${values.abortStatus} ${where} cannot end a call; take one from 200 to 599`;
  }
  if (values.delayMs !== 0 && values.delayMs < 1) return `delay.fixedDelay ${where} is shorter than 1 ms`;
  if (values.delayPercent > 0 && values.delayMs === 0) return `delay.percent ${where} is set, but no delay.fixedDelay`;
  if (values.abortPercent > 0 && values.abortStatus === 0 && protocol === 'http') {
    return `abort.percent ${where} is set, but no abort.httpStatus`;
  }
  return undefined;
}
