import type { FaultConfig, FaultSideConfig } from '../../config/sections/governance.js';
import type { CallProtocol, Invocation } from '../../invocation.js';
import type { CallMatcher } from '../../routing/call-matcher.js';
import { grpcMethod, schemaOf } from '../rate-limit/call-operation.js';
import { GLOBAL_FAULTS } from './fault-check.js';
import { faultMatcher } from './fault-match.js';
import { isNothing, resolveValues, valuesOf, type FaultKey, type FaultValues } from './fault-values.js';
import { OperationPath } from '../rate-limit/operation-path.js';

/** What is injected into a call, and which level said each part of it. */
export interface ResolvedFault {
  readonly values: FaultValues;
  readonly from: Readonly<Partial<Record<FaultKey, string>>>;
}

/** One level for one protocol. */
interface Level {
  readonly name: string;
  readonly values: FaultValues;
  readonly matcher: CallMatcher | undefined;
}

/** The levels that may count for calls of one kind; which of them do may depend on header fields. */
class FaultPlan {
  readonly #resolved: (ResolvedFault | undefined)[] = [];
  readonly #everywhere: ResolvedFault | undefined;
  readonly #depends: boolean;

  /** @param levels the innermost first */
  constructor(readonly levels: readonly Level[]) {
    this.#depends = levels.some(({ matcher }) => matcher !== undefined);
    this.#everywhere = resolve(levels);
    // Each level counts or does not: at most 16 combinations, made ahead.
    for (let mask = 0; this.#depends && mask < 1 << levels.length; mask++) {
      this.#resolved.push(resolve(levels.filter((_level, bit) => (mask & (1 << bit)) !== 0)));
    }
  }

  get isEmpty(): boolean {
    return this.#everywhere === undefined;
  }

  find(call: Invocation): ResolvedFault | undefined {
    if (!this.#depends) return this.#everywhere;
    let mask = 0;
    for (const [bit, { matcher }] of this.levels.entries()) {
      if (matcher === undefined || matcher.matches(call)) mask |= 1 << bit;
    }
    return this.#resolved[mask];
  }
}

function resolve(levels: readonly Level[]): ResolvedFault | undefined {
  const { values, from } = resolveValues(levels.map((level) => level.values));
  const delays = values.delayPercent > 0 && values.delayMs > 0;
  const aborts = values.abortPercent > 0;
  if (!delays && !aborts) return undefined;
  const names: Partial<Record<FaultKey, string>> = {};
  for (const [key, index] of Object.entries(from) as [FaultKey, number][]) {
    const name = levels[index]?.name;
    if (name !== undefined) names[key] = name;
  }
  return { values, from: names };
}

interface OperationPlan {
  readonly name: string;
  /** Set when the operation is a path. */
  readonly template: OperationPath | undefined;
  readonly plan: FaultPlan;
}

interface SchemaPlans {
  readonly plan: FaultPlan;
  readonly operations: readonly OperationPlan[];
}

interface ServicePlans {
  readonly plan: FaultPlan;
  readonly schemas: ReadonlyMap<string, SchemaPlans>;
}

/** What one side of `cse.governance` says about calls of one protocol. */
export class FaultTable {
  readonly #services = new Map<string, ServicePlans>();
  readonly #others: FaultPlan;
  readonly isEmpty: boolean;

  constructor(side: FaultSideConfig, protocol: CallProtocol) {
    let isEmpty = true;
    const plan = (...levels: readonly (readonly [name: string, fault: FaultConfig | undefined])[]): FaultPlan => {
      const made = new FaultPlan(
        levels.flatMap(([name, fault]) => {
          const values = fault === undefined ? undefined : valuesOf(fault, protocol);
          if (fault === undefined || values === undefined || isNothing(values)) return [];
          return { name, values, matcher: faultMatcher(fault) };
        }),
      );
      if (!made.isEmpty) isEmpty = false;
      return made;
    };
    const global = [GLOBAL_FAULTS, side.get(GLOBAL_FAULTS)?.policy.fault] as const;
    this.#others = plan(global);
    for (const [service, { policy, schemas }] of side) {
      if (service === GLOBAL_FAULTS) continue;
      const ofService = [service, policy.fault] as const;
      const inner = new Map<string, SchemaPlans>();
      for (const [schema, { policy: schemaPolicy, operations }] of schemas) {
        const ofSchema = [`${service}.schemas.${schema}`, schemaPolicy.fault] as const;
        const plans = Array.from(operations, ([name, operation]) => ({
          name,
          template: name.startsWith('/') ? new OperationPath(name) : undefined,
          plan: plan(
            [`${service}.schemas.${schema}.operations.${name}`, operation.policy.fault],
            ofSchema,
            ofService,
            global,
          ),
        }));
        plans.sort((a, b) =>
          a.template === undefined || b.template === undefined ? 0 : OperationPath.compare(a.template, b.template),
        );
        inner.set(schema, { plan: plan(ofSchema, ofService, global), operations: plans });
      }
      this.#services.set(service, { plan: plan(ofService, global), schemas: inner });
    }
    this.isEmpty = isEmpty;
  }

  find(call: Invocation): ResolvedFault | undefined {
    return this.#plan(call).find(call);
  }

  #plan(call: Invocation): FaultPlan {
    const service = this.#services.get(call.plan?.service ?? call.destination?.service ?? '');
    if (service === undefined) return this.#others;
    const name = service.schemas.size === 0 ? undefined : schemaOf(call, service.schemas);
    const schema = name === undefined ? undefined : service.schemas.get(name);
    if (schema === undefined) return service.plan;
    return schema.operations.find((operation) => isOperation(call, operation))?.plan ?? schema.plan;
  }
}

function isOperation(call: Invocation, { name, template }: OperationPlan): boolean {
  return template === undefined
    ? call.protocol === 'grpc' && grpcMethod(call.path) === name
    : template.matches(call.path);
}
