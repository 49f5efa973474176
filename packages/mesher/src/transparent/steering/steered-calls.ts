import {
  Rejection,
  type AttemptFailure,
  type CallHandler,
  type Direction,
  type Endpoint,
  type Invocation,
  type Outcome,
  type ServicePlan,
  type Verdict,
} from '@mesher/core';
import { DelegatingCalls } from '../delegating-calls.js';
import type { Passage } from '../passage.js';
import type { Steered, Steering } from './steering.js';

/** Endpoints of a plan that a request is offered to, when they cannot be connected to. */
const MAX_ENDPOINTS = 3;

export interface SteeredCallsParts {
  readonly steering: Pick<Steering, 'find' | 'report'>;
  /** Decides about requests that are sent to services of the mesh. */
  readonly mesh: CallHandler;
  /** The way to an endpoint. */
  readonly through: (endpoint: Endpoint) => Passage;
  /** Those who call speak HTTP/2, and expect that of the other side. */
  readonly overHttp2: boolean;
  /** What is written into every request. */
  readonly mark: (call: Invocation) => void;
}

/** Outbound requests of which each may say where it goes; those that do not, or may not, are decided about by somebody else. */
export class SteeredCalls extends DelegatingCalls {
  readonly direction: Direction = 'outbound';
  readonly #handlers = new WeakMap<Invocation, CallHandler>();
  readonly #plans = new WeakMap<Invocation, ServicePlan>();
  /** Calls that have not begun: a name is being looked up. */
  readonly #waiting = new WeakSet<Invocation>();

  /** @param otherwise decides about all others */
  constructor(
    private readonly otherwise: CallHandler,
    private readonly parts: SteeredCallsParts,
  ) {
    super();
  }

  override begin(call: Invocation): Verdict | Promise<Verdict> {
    const { mark, overHttp2, steering } = this.parts;
    mark(call);
    const steered = steering.find(call, overHttp2);
    if (steered === undefined) return this.otherwise.begin(call);
    if (!(steered instanceof Promise)) return this.#go(call, steered);
    call.waited = true;
    this.#waiting.add(call);
    return steered.then((later) => {
      if (call.ended) return new Rejection('MESH_ERR_TIMEOUT', 'The caller left while a name was looked up');
      this.#waiting.delete(call);
      return this.#go(call, later);
    });
  }

  override again(call: Invocation, failure: AttemptFailure): Verdict | Promise<Verdict> {
    const plan = this.#plans.get(call);
    const { bodyReplayable, endpoint, tried = [] } = call;
    if (plan !== undefined && endpoint !== undefined && !failure.sent && bodyReplayable && !failure.reusedConnection) {
      call.tried = [...tried, endpoint];
      const next = call.tried.length < MAX_ENDPOINTS ? plan.pick(call, call.tried) : undefined;
      if (next !== undefined) return next;
    }
    if (plan === undefined || !failure.reusedConnection || endpoint === undefined) {
      return super.again(call, failure);
    }
    // Perhaps not the endpoint that the call began with.
    return this.parts.through(endpoint).again(call, failure);
  }

  override instead(call: Invocation, rejection: Rejection): Rejection {
    return this.#waiting.has(call) ? rejection : super.instead(call, rejection);
  }

  connected(endpoint: Endpoint): void {
    this.otherwise.connected(endpoint);
  }

  override end(call: Invocation, outcome: Outcome): void {
    if (this.#waiting.has(call)) call.ended = true;
    else super.end(call, outcome);
  }

  #go(call: Invocation, steered: Steered | undefined): Verdict | Promise<Verdict> {
    if (steered === undefined) return this.otherwise.begin(call);
    const { mesh, steering, through } = this.parts;
    if (steered.kind === 'mesh') {
      steering.report('routed', call, steered);
      call.destination = steered.destination;
      this.#handlers.set(call, mesh);
      return mesh.begin(call);
    }
    const { plan, destination } = steered;
    const endpoint = plan.pick(call, undefined);
    steering.report(endpoint === undefined ? 'unresolved' : 'routed', call, steered);
    if (endpoint === undefined) return this.otherwise.begin(call);
    // That of the address which the program has chosen is not meant.
    call.destination = destination;
    const passage = through(endpoint);
    this.#handlers.set(call, passage);
    this.#plans.set(call, plan);
    return passage.begin(call);
  }

  protected of(call: Invocation): CallHandler {
    return this.#handlers.get(call) ?? this.otherwise;
  }
}
