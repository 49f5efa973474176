import type { Policy, PolicyContext, PolicyFactory } from '../../chain/policy.js';
import { governanceSchema } from '../../config/sections/governance.js';
import { markedFaultSchema, type MarkedFault } from '../../config/sections/marked-fault.js';
import { DirectAnswer, type Rejection } from '../../errors.js';
import { grpcStatusName } from '../../grpc/status.js';
import type { Explanation } from '../../explain/explanation.js';
import type { CallProtocol, Invocation } from '../../invocation.js';
import type { LabelledCounter } from '../../telemetry/policy-metrics.js';
import { sideOf } from '../config-side.js';
import { faultInjectionSchema } from './fault-options.js';
import { FaultTable } from './fault-table.js';
import type { FaultValues } from './fault-values.js';
import { carriesMark } from '../marked-calls.js';

/** Says on the answer what was injected. */
export const FAULT_FIELD = 'x-mesher-fault';

/** Body of an injected abort, as go-chassis has it. */
const ABORT_BODY = 'injecting abort';

/** Of aborts that name none. */
const DEFAULT_ABORT_STATUS = 503;

/** A policy of `servicecomb.faultInjection`, compiled. */
interface MarkedFaults {
  readonly name: string;
  readonly mark: string;
  readonly values: FaultValues;
  /** Answers 200 without a body instead of with the status. */
  readonly isNull: boolean;
}

/**
 * Delays and aborts some of the calls. Which ones is left to chance, call by call: a fixed turn (every tenth) would fall in step with
 * callers that retry or poll in a fixed rhythm, and hit always or never the same ones.
 */
class FaultInjection implements Policy {
  readonly name = 'fault-inject';
  readonly #injected: LabelledCounter;
  #tables: Readonly<Record<CallProtocol, FaultTable>>;
  #marked: readonly MarkedFaults[] = [];
  #maxDelayed = 0;
  #delayed = 0;

  constructor(private readonly context: PolicyContext) {
    this.#injected = context.metrics.counter('faultsInjected');
    this.#tables = this.#compile();
    context.configuration.onChange(() => {
      this.#tables = this.#compile();
    });
  }

  get isActive(): boolean {
    const { http, grpc, tcp } = this.#tables;
    return this.#marked.length > 0 || !http.isEmpty || !grpc.isEmpty || !tcp.isEmpty;
  }

  before(call: Invocation): Rejection | undefined | Promise<Rejection | undefined> {
    const fault = this.#tables[call.protocol].find(call);
    let delayMs = 0;
    let abort: Rejection | undefined;
    if (fault !== undefined) {
      const { values } = fault;
      if (this.#hits(values.delayPercent)) delayMs = values.delayMs;
      if (this.#hits(values.abortPercent)) abort = abortWith(values, ABORT_BODY);
    }
    if (delayMs === 0 && abort === undefined && this.#marked.length > 0) {
      const marked = this.#ofMark(call);
      if (marked !== undefined && this.#hits(marked.values.delayPercent)) delayMs = marked.values.delayMs;
      if (marked !== undefined && this.#hits(marked.values.abortPercent)) abort = abortByMark(marked);
    }
    if (delayMs > 0 && this.#delayed >= this.#maxDelayed) {
      delayMs = 0;
      this.#count(call, 'delay-skipped');
    }
    if (delayMs > 0) this.#count(call, 'delay');
    if (abort !== undefined) this.#count(call, 'abort');
    if (call.protocol !== 'tcp' && (delayMs > 0 || abort !== undefined)) {
      call.addResponseField(FAULT_FIELD, delayMs === 0 ? 'abort' : abort === undefined ? 'delay' : 'delay, abort');
    }
    return delayMs === 0 ? abort : this.#delay(call, delayMs, abort);
  }

  explain(call: Invocation, into: Explanation): void {
    const fault = this.#tables[call.protocol].find(call);
    const marked = this.#marked.length === 0 ? undefined : this.#ofMark(call);
    if (fault === undefined && marked === undefined) {
      into.add(this.name, 'no fault for this call');
      return;
    }
    const details: string[] = [];
    if (fault !== undefined) {
      const { from } = fault;
      for (const text of describe(fault.values)) details.push(text);
      for (const [key, level] of Object.entries(from)) details.push(`${key} is set by ${level}`);
    }
    if (marked !== undefined) {
      const before = fault === undefined ? '' : ', if nothing else was injected';
      details.push(...describe(marked.values).map((text) => `${text}, by the mark ${marked.mark}${before}`));
    }
    const { values } = fault ?? (marked as MarkedFaults);
    into.add(this.name, describe(values).join('; '), details, { ...fault, mark: marked?.mark });
    if (values.abortPercent < 100) return;
    into.rejection = fault === undefined ? abortByMark(marked as MarkedFaults) : abortWith(values, ABORT_BODY);
    into.stopped = true;
  }

  #compile(): Readonly<Record<CallProtocol, FaultTable>> {
    const { configuration, direction } = this.context;
    const { document } = configuration;
    const faults = document.section('cse.governance', governanceSchema);
    const side = faults[sideOf(direction)];
    this.#maxDelayed = document.section('mesher.faultInjection', faultInjectionSchema).maxDelayed;
    this.#marked = compileMarked(document.section('servicecomb.faultInjection', markedFaultSchema));
    return { http: new FaultTable(side, 'http'), grpc: new FaultTable(side, 'grpc'), tcp: new FaultTable(side, 'tcp') };
  }

  #ofMark(call: Invocation): MarkedFaults | undefined {
    for (const marked of this.#marked) if (carriesMark(call, marked.mark)) return marked;
    return undefined;
  }

  #hits(percent: number): boolean {
    return percent > 0 && (percent >= 100 || this.context.ports.random.next() * 100 < percent);
  }

  #count(call: Invocation, kind: string): void {
    this.#injected.add([call.destination?.service ?? '', kind]);
  }

  /** The caller may leave meanwhile: then its place is free at once, or callers that leave could keep all of them. */
  async #delay(call: Invocation, ms: number, abort: Rejection | undefined): Promise<Rejection | undefined> {
    this.#delayed++;
    await new Promise<void>((resolve) => {
      const timer = this.context.ports.timers.after(ms, resolve);
      call.wake = () => {
        timer.cancel();
        resolve();
      };
    });
    call.wake = undefined;
    this.#delayed--;
    return abort;
  }
}

function abortWith({ abortStatus: status, abortGrpcStatus }: FaultValues, body: string): Rejection {
  const grpcStatus = abortGrpcStatus === 0 ? undefined : abortGrpcStatus;
  return new DirectAnswer(
    'MESH_ERR_FAULT_INJECTED',
    status || DEFAULT_ABORT_STATUS,
    body,
    undefined,
    undefined,
    grpcStatus,
  );
}

/** A gRPC caller cannot be given an answer of nothing: it gets the status of the code. */
function abortByMark({ isNull, values }: MarkedFaults): Rejection {
  return isNull ? new DirectAnswer('MESH_ERR_FAULT_INJECTED', 200) : abortWith(values, ABORT_BODY);
}

const NO_ABORT = { abortPercent: 0, abortStatus: 0, abortGrpcStatus: 0 } as const;

function compileMarked(policies: ReadonlyMap<string, MarkedFault>): MarkedFaults[] {
  return Array.from(
    policies,
    ([name, { match, type, percentage, delayTime, errorCode, fallbackType, forceClosed }]) => {
      const percent = forceClosed ? 0 : percentage;
      return {
        name,
        mark: match ?? name,
        values:
          type === 'delay'
            ? { ...NO_ABORT, delayPercent: percent, delayMs: delayTime }
            : { delayPercent: 0, delayMs: 0, abortPercent: percent, abortStatus: errorCode, abortGrpcStatus: 0 },
        isNull: fallbackType === 'ReturnNull',
      };
    },
  ).filter(({ values }) => values.delayPercent > 0 || values.abortPercent > 0);
}

function describe({ delayPercent, delayMs, abortPercent, abortStatus, abortGrpcStatus }: FaultValues): string[] {
  const status = abortGrpcStatus === 0 ? abortStatus || DEFAULT_ABORT_STATUS : grpcStatusName(abortGrpcStatus);
  return [
    ...(delayPercent > 0 ? [`delays ${delayPercent} % of the calls by ${delayMs} ms`] : []),
    ...(abortPercent > 0 ? [`aborts ${abortPercent} % of the calls with ${status}`] : []),
  ];
}

/** Behind `fault-inject`: `cse.governance` of the side on which it stands, and `servicecomb.faultInjection`. */
export const faultInjection: PolicyFactory = (context) => new FaultInjection(context);
