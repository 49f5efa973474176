import type { CallerMarks } from '../chain/caller-marks.js';
import type { AssembledChain } from '../chain/handler-names.js';
import type { LocalPorts } from '../chain/local-ports.js';
import type { LoopGuard } from '../chain/loop-guard.js';
import { howToName } from '../chain/refusals.js';
import { ERRORS, Rejection, type ErrorCode } from '../errors.js';
import { GRPC_STATUS } from '../grpc/status.js';
import type { LocalGate } from '../health/local-gate.js';
import type { CallProtocol, Destination, Direction, Field } from '../invocation.js';
import type { Clock } from '../ports/ports.js';
import { describeWire, wireTo } from '../registry/endpoint.js';
import type { ServiceDirectory } from '../registry/service-directory.js';
import type { ServicePlan } from '../registry/service-plan.js';
import { EgressPlan } from '../routing/egress/egress-plan.js';
import type { Egress } from '../routing/egress/egress.js';
import type { DestinationResolver, SourceResolver } from '../resolver/contracts.js';
import { ExplainCall } from './explain-call.js';
import { readExplainRequest, type ExplainRequest } from './explain-request.js';
import { explainChain } from './explain-chain.js';
import { explainService } from './explain-service.js';
import { Explanation, type ExplainStep } from './explanation.js';
import { SecretMask } from './secrets.js';

/** What is asked, in the order in which a real call passes it. */
export interface ExplainStations {
  readonly clock: Clock;
  /** Name of the local service. */
  readonly service: string;
  readonly sources: readonly SourceResolver[];
  readonly loopGuards: Readonly<Record<Direction, LoopGuard>>;
  readonly resolvers: Readonly<Record<CallProtocol, DestinationResolver>>;
  /** Names of the resolvers in the configuration. */
  readonly resolverNames: Readonly<Record<CallProtocol, string>>;
  readonly directory: ServiceDirectory;
  /** Hosts outside the mesh; left out where nothing leads there. */
  readonly egress?: Egress;
  readonly callerMarks: CallerMarks;
  readonly chains: Readonly<Record<Direction, AssembledChain>>;
  readonly localGate: LocalGate;
  readonly localPorts: LocalPorts;
  /** What decides after the policies about timeouts, further attempts and company for a slow one. */
  explainAttempts(call: ExplainCall, into: Explanation): void;
}

/** An answer that Mesher would make itself. */
export interface ExplainedAnswer {
  readonly code: string;
  readonly status: number;
  /** What a gRPC caller would get, under HTTP status 200; undefined for other calls. */
  readonly grpcStatus?: number;
  readonly message: string;
  readonly hint: string;
}

/** What would become of a call, and why. Credentials of the request are masked throughout. */
export interface CallExplanation {
  readonly request: {
    readonly direction: Direction;
    readonly protocol: CallProtocol;
    readonly method: string;
    readonly authority: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly source: string | undefined;
  };
  /** True when an attempt would be made; false when Mesher would answer by itself. */
  readonly sent: boolean;
  /** True when the last step cannot say more without doing it, so that what would follow is left out. */
  readonly open: boolean;
  /** What the caller would get when the call is not sent. */
  readonly answer: ExplainedAnswer | undefined;
  /** The decisions, in the order in which they are made. */
  readonly steps: readonly ExplainStep[];
  /** What the request would look like. */
  readonly edits: {
    readonly path: string | undefined;
    readonly added: readonly Field[];
    readonly removed: readonly string[];
    readonly responseFields: readonly Field[];
  };
}

/** Field that tells the called sidecar which port the caller wrote into the URL. */
const PORT_FIELD = 'x-forwarded-port';
const HOP_FIELD = 'x-mesher-hop';

/**
 * Leads a call that is never sent past everything that decides about calls. Nothing is counted, no balancer takes its turn, and no
 * service is watched unless the request asks for it.
 */
export class Explainer {
  constructor(private readonly stations: ExplainStations) {}

  /** @throws MeshError MESH_ERR_EXPLAIN_REQUEST for a request that makes no sense */
  async explain(asked: ExplainRequest): Promise<CallExplanation> {
    const request = readExplainRequest(asked);
    const call = new ExplainCall(request, this.stations.sources, this.stations.clock.now());
    const into = new Explanation(call.protocol);
    this.#loop(call, into);
    if (!into.stopped) {
      if (call.direction === 'outbound') await this.#outbound(call, into, request.watch === true);
      else this.#inbound(call, into);
    }
    return resultOf(call, into, new SecretMask(request.headers ?? {}), request.headers ?? {});
  }

  #loop(call: ExplainCall, into: Explanation): void {
    const marks = call.header(HOP_FIELD);
    const loop = this.stations.loopGuards[call.direction].check(call);
    if (loop !== undefined) into.reject('loop-guard', loop, [`${HOP_FIELD}: ${marks ?? ''}`]);
    else if (marks !== undefined) into.add('loop-guard', 'has not been here before', [`${HOP_FIELD}: ${marks}`]);
  }

  async #outbound(call: ExplainCall, into: Explanation, watch: boolean): Promise<void> {
    const { stations } = this;
    call.destination = await this.#resolve(call, into);
    if (into.stopped) return;
    const plan = await this.#plan(call, watch, into);
    if (plan === undefined) return;
    call.destination ??= { service: plan.service };
    call.plan = plan;
    // Finding the service may have taken a while that no call in use would wait.
    call.startedAt = stations.clock.now();
    if (!(plan instanceof EgressPlan)) {
      stations.callerMarks.apply(call);
      const { port } = call.destination;
      if (port !== undefined) call.setHeader(PORT_FIELD, String(port));
    }
    explainChain(stations.chains.outbound, call, into);
    if (into.stopped) return;
    plan.explain(call, into);
    if (!into.stopped) stations.explainAttempts(call, into);
  }

  /** In the order of a real call: rules of egress, the registry, the policy of egress. */
  async #plan(call: ExplainCall, watch: boolean, into: Explanation): Promise<ServicePlan | undefined> {
    const { clock, directory, egress } = this.stations;
    const { destination } = call;
    const outside = egress?.explain(call, destination, into);
    if (outside !== undefined || into.stopped || into.open) return outside;
    if (watch && destination !== undefined) {
      await directory.whenKnown(directory.plan(destination.service)?.service ?? destination.service);
    }
    const state = destination === undefined ? 'absent' : directory.preview(destination.service)?.plan.state;
    if (state === 'absent' || (state === undefined && !watch)) {
      const unknown = egress?.explainUnknown(call, destination, into);
      if (unknown !== undefined || into.stopped || into.open) return unknown;
    }
    if (destination !== undefined) return explainService(destination.service, directory, clock, watch, into);
    return undefined;
  }

  #inbound(call: ExplainCall, into: Explanation): void {
    const { stations } = this;
    call.destination = { service: stations.service };
    const { source } = call;
    into.add(
      'source',
      source === undefined ? 'nothing tells who calls' : `the caller is ${source.service}, by its ${source.by}`,
      [],
      source === undefined ? {} : { ...source },
    );
    const down = stations.localGate.check();
    if (down !== undefined) {
      into.reject('local-health', down);
      return;
    }
    explainChain(stations.chains.inbound, call, into);
    if (into.stopped) return;
    const target = stations.localPorts.preview(call);
    const named = call.header(PORT_FIELD);
    const details = named === undefined ? [] : [`${PORT_FIELD}: ${named}`];
    if (target instanceof Rejection) into.reject('local-port', target, details);
    else {
      const over = wireTo(target, call.protocol);
      const words = describeWire(over, call.protocol);
      into.add('local-port', `the application at ${target.key}${words === '' ? '' : `, ${words}`}`, details, {
        address: target.key,
        over,
      });
    }
  }

  async #resolve(call: ExplainCall, into: Explanation): Promise<Destination | undefined> {
    const { resolvers, resolverNames } = this.stations;
    const name = resolverNames[call.protocol];
    const destination = await resolvers[call.protocol].resolve(call);
    if (destination === undefined || destination.service === '') {
      const hint = howToName(call.protocol);
      const message = `the resolver ${name} finds no service in ${JSON.stringify(call.authority)}`;
      // An address names no service, but it may be outside the mesh.
      if (this.stations.egress?.mayCall(call) === true) return undefined;
      into.reject('resolver', new Rejection('MESH_ERR_NO_ROUTE', message, undefined, hint), [], { resolver: name });
      return undefined;
    }
    const { service, port } = destination;
    const behind = port === undefined ? '' : `, port ${port} (told to the called sidecar by ${PORT_FIELD})`;
    into.add('resolver', `${name}: ${call.authority} is the service ${service}${behind}`, [], {
      resolver: name,
      ...destination,
    });
    return destination;
  }
}

function resultOf(
  call: ExplainCall,
  into: Explanation,
  mask: SecretMask,
  headers: Readonly<Record<string, string>>,
): CallExplanation {
  const { direction, protocol, method, authority, path, source } = call;
  return {
    request: {
      direction,
      protocol,
      method,
      authority,
      path: mask.apply(path),
      headers: mask.headers(headers),
      source: source?.service,
    },
    sent: !into.stopped,
    open: into.open,
    answer: into.stopped ? mask.apply(answerOf(call, into)) : undefined,
    steps: into.steps.map((step) => mask.apply(step)),
    edits: mask.apply({
      path: call.newPath,
      added: call.added,
      removed: [...call.removed],
      responseFields: call.responseFields ?? [],
    }),
  };
}

/** What the stage that stopped says, one way or the other. */
function answerOf({ protocol }: ExplainCall, { rejection, steps }: Explanation): ExplainedAnswer {
  const isGrpc = protocol === 'grpc';
  if (rejection !== undefined) {
    const { code, status, grpcStatus, message, hint } = rejection;
    return { code, status, ...(isGrpc ? { grpcStatus } : {}), message, hint };
  }
  const { decision = '', data = {} } = steps.at(-1) ?? {};
  const { code, status, hint } = data as { code?: unknown; status?: unknown; hint?: unknown };
  return {
    code: typeof code === 'string' ? code : '',
    status: typeof status === 'number' ? status : 0,
    ...(isGrpc ? { grpcStatus: grpcStatusOfCode(code) } : {}),
    message: decision,
    hint: typeof hint === 'string' ? hint : '',
  };
}

function grpcStatusOfCode(code: unknown): number {
  const isKnown = typeof code === 'string' && Object.hasOwn(ERRORS, code);
  return isKnown ? ERRORS[code as ErrorCode].grpcStatus : GRPC_STATUS.UNKNOWN;
}
