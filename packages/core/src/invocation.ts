import type { Policy } from './chain/policy.js';
import { MeshError, type ErrorCode } from './errors.js';
import type { Endpoint } from './registry/endpoint.js';
import type { ServicePlan } from './registry/service-plan.js';
import type { Admission } from './resilience/admission.js';
import type { SourceIdentity } from './resolver/contracts.js';
import type { RetryState } from './resilience/retry/retry-state.js';
import type { RouteChoice } from './routing/route-choice.js';
import type { Subset } from './routing/subset.js';
import type { CallTrace } from './telemetry/tracing/call-trace.js';

/** outbound: the local application calls; inbound: the local application is called. */
export type Direction = 'outbound' | 'inbound';

/** The protocol of a call, as configuration names it (`plugin.destinationResolver.http`, `.grpc`). */
export type CallProtocol = 'http' | 'grpc' | 'tcp';

/** Which service a call is for. */
export interface Destination {
  readonly service: string;
  /** The port that the caller wrote into the URL; the called sidecar maps it to a local port. */
  readonly port?: number;
}

/** The one narrow, read-only view of a call that resolvers, policies and balancers see, whatever the wire. */
export interface CallView {
  readonly direction: Direction;
  readonly protocol: CallProtocol;
  /** Request method in upper case as sent; `''` for TCP. */
  readonly method: string;
  /** Path with query, as sent; `'*'` for `OPTIONS *`, `''` for CONNECT and TCP. */
  readonly path: string;
  /** Host with optional port: of an absolute-form target, else of the Host field or `:authority`. */
  readonly authority: string;
  /** Address of the peer without a port; empty when unknown. */
  readonly remoteAddress: string;
  /** Value of a header field by lower-case name; several fields of that name are joined by `, `. */
  header(name: string): string | undefined;
  /** Found on first use. */
  readonly source: SourceIdentity | undefined;
  readonly destination: Destination | undefined;
}

const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Visible ASCII, blanks and the upper half of Latin-1. */
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** A header field. */
export type Field = readonly [name: string, value: string];

/** @throws MeshError MESH_ERR_INVALID_FIELD for a name or value that cannot be sent (RFC 9110, 5): it could end the head early */
function checkField(name: string, value: string): void {
  if (FIELD_NAME.test(name) && FIELD_VALUE.test(value)) return;
  throw new MeshError('MESH_ERR_INVALID_FIELD', `the header field ${JSON.stringify(name)} or its value cannot be sent`);
}

const NO_MARKS: readonly string[] = [];
const NO_FIELDS: readonly Field[] = [];

/** Header fields that many calls get alike, rendered once per wire. */
export class FieldBundle {
  /** The fields as HTTP/1 lines, each ended by CRLF. */
  readonly http1: string;

  /**
   * @param fields names and values in the order in which they are sent
   * @throws MeshError MESH_ERR_INVALID_FIELD for a name or value that cannot be sent (RFC 9110, 5): it could end the head early
   */
  constructor(readonly fields: readonly Field[]) {
    for (const [name, value] of fields) checkField(name, value);
    this.http1 = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  }
}

/**
 * One call on its way through the chain. A wire (HTTP/1, HTTP/2, TCP, the SDK) extends it with its own way to read the head and
 * to collect header edits; the fields here carry the decisions. One object per call; nobody keeps it after `after`.
 */
export abstract class Invocation implements CallView {
  destination: Destination | undefined = undefined;
  /** The compiled plan of the destination; set for outbound calls. */
  plan: ServicePlan | undefined = undefined;
  /** Where the current attempt goes. */
  endpoint: Endpoint | undefined = undefined;
  /** Endpoints that failed during this call. */
  tried: Endpoint[] | undefined = undefined;
  /** Attempts started so far, counted by the wire. */
  attempts = 0;
  /** Attempts that failed so far, counted by the handler. */
  failedAttempts = 0;
  /** Where an attempt is under way of which the plan has been told that it began; kept by the handler. */
  underWay: Endpoint | undefined = undefined;
  /** Where further ones are under way beside it (hedging). */
  hedges: Endpoint[] | undefined = undefined;
  /** What has been tried again so far; undefined before the first time. */
  retried: RetryState | undefined = undefined;
  /** Monotonic milliseconds at which the head of the request was complete. */
  startedAt = 0;
  /** The call had to wait while it was being decided about: {@link startedAt} is no longer now. */
  waited = false;
  /** The id that was given to a request that came without one. */
  requestId: string | undefined = undefined;
  /** Name, in lower case, of the field with the id of the request (`mesher.requestId.header`). */
  requestIdField = 'x-request-id';
  /** Slot of the metrics series of this call; -1 until it is known. */
  metricsSlot = -1;
  /** True while the whole body that was read so far is kept, so that another attempt can send it again. */
  bodyReplayable = true;
  /** Bytes of the request body that came from the caller so far, counted by the wire. */
  requestBytes = 0;
  /** Bytes of the answer's body that were passed on so far, counted by the wire. */
  responseBytes = 0;
  /** The call is over: a decision that was still being waited for must not begin anything. */
  ended = false;
  /** Ends a wait before its time; called when the call ends, so that nothing is held for a caller that has left. */
  wake: (() => void) | undefined = undefined;
  /** How the call ended; set together with {@link ended}. */
  outcome: Outcome | undefined = undefined;
  /** The policies that decide about this call: those that were in effect when it began. */
  policies: readonly Policy[] | undefined = undefined;
  /** How many of them let the call pass: exactly these get `after`. */
  admitted = 0;
  /** Endpoints that do not take this call, although they take others: their circuit breaker is open for its API. */
  shunned: Endpoint[] | undefined = undefined;
  /** What the call holds of breakers and bulkheads until it ends. */
  admission: Admission | undefined = undefined;
  /** What the route rules say about the call; undefined when there are none for its service. */
  route: RouteChoice | undefined = undefined;
  /** The instances that may take the call; undefined: all of the service. */
  subset: Subset | undefined = undefined;
  /** Names of the match groups (`servicecomb.match.*`) that hold for the call, in the order of the configuration. */
  marks: readonly string[] = NO_MARKS;
  /** The trace that the call belongs to; undefined while nobody asks for traces. */
  trace: CallTrace | undefined = undefined;
  /** Where a copy of the request goes; its answer is thrown away. */
  mirror: MirrorOrder | undefined = undefined;
  /** Monotonic milliseconds by which an answer must have begun, whatever is tried again until then; Infinity: the wire's own bound. */
  deadlineAt = Infinity;
  /**
   * {@link deadlineAt} was chosen for the called service: it takes the place of the wire's own bound, and the wire moves it on by the
   * time that the caller needs for the rest of its request. False: it is the caller's own, and does not move.
   */
  deadlineIsOurs = false;
  /** Milliseconds that one attempt has until its answer begins. */
  tryTimeout = Infinity;
  /** Milliseconds after which an attempt without an answer gets company at another endpoint. */
  hedgeAfter = Infinity;
  /** Monotonic milliseconds at which the current attempt was decided; 0 for the first one, which starts with the call. */
  attemptStartedAt = 0;
  /** The handler wants to see the head of each answer before it is passed on. */
  watchesAnswer = false;
  /** Somebody waits for the beginning of the answer: a probe of a breaker, which must not last as long as a stream does. */
  watchesBeginning = false;
  /** Fields that the answer gets besides its own, also one that Mesher makes itself. */
  responseFields: Field[] | undefined = undefined;
  /** Names, in lower case, of fields that an answer of the upstream loses. Those in {@link responseFields} stay. */
  removedResponseFields: string[] | undefined = undefined;

  abstract readonly direction: Direction;
  abstract readonly protocol: CallProtocol;
  abstract readonly method: string;
  abstract readonly path: string;
  abstract readonly authority: string;
  abstract readonly remoteAddress: string;
  abstract readonly source: SourceIdentity | undefined;
  abstract header(name: string): string | undefined;

  /**
   * The fields whose names begin so, one for each line, as they came; a wire that cannot tell has none.
   * @param _prefix in lower case
   */
  fieldsBeginning(_prefix: string): readonly Field[] {
    return NO_FIELDS;
  }

  /** True when a second attempt cannot do harm by the definition of the method (RFC 9110, 9.2.2). */
  abstract readonly idempotent: boolean;

  /** Header edits, applied by the codec while it writes the request; they hold for every attempt. */
  abstract setHeader(name: string, value: string): void;
  abstract addHeader(name: string, value: string): void;
  abstract removeHeader(name: string): void;
  abstract addFields(bundle: FieldBundle): void;
  /**
   * Replaces the path with query that is sent; `path` goes on showing what arrived.
   * @throws MeshError MESH_ERR_INVALID_FIELD when it does not start with `/`, or holds blanks or control characters
   */
  abstract setPath(path: string): void;

  /**
   * Adds a field to the answer, whoever makes it.
   * @throws MeshError MESH_ERR_INVALID_FIELD for a name or value that cannot be sent
   */
  addResponseField(name: string, value: string): void {
    checkField(name, value);
    (this.responseFields ??= []).push([name, value]);
  }

  /** Takes the fields of a name, in lower case, out of the answer of the upstream. */
  removeResponseField(name: string): void {
    (this.removedResponseFields ??= []).push(name);
  }
}

/** A copy of the request that is sent and forgotten. */
export interface MirrorOrder {
  /** Undefined: nobody is known who takes it, and the wire counts a copy that was not made. */
  readonly endpoint: Endpoint | undefined;
  /** Value of Host in the copy, e.g. `world-shadow`. */
  readonly authority: string;
}

/** How a call, or one attempt of it, ended. */
export interface Outcome {
  /** HTTP status that the caller got; 0 when there was none (the client left, a TCP connection). */
  readonly status: number;
  /** gRPC status, 0..16, of a call of that protocol; undefined for others, and when none came. */
  readonly grpcStatus?: number | undefined;
  /** Set when Mesher itself made the answer, or when the exchange broke after the head had been sent. */
  readonly code: ErrorCode | undefined;
  /** True when the client went away first; such a call is neither a success nor a failure of the service. */
  readonly aborted: boolean;
  /**
   * True for a connection whose client turned out to speak HTTP after it had been dialled: the requests on it are calls of their own, and this
   * one never was any. It is `aborted`, too, for all who only want to know what an outcome says about a service.
   */
  readonly superseded?: boolean | undefined;
  /** From the complete request head to the last byte of the answer, in milliseconds. */
  readonly durationMs: number;
  /**
   * Of a gRPC call: from the complete request head to the beginning of the answer, in milliseconds; undefined when none came, and for
   * other calls. A gRPC call may be a conversation of hours, and how long it lasts then says nothing about who answers.
   */
  readonly beganAfterMs?: number | undefined;
}

/** Why an attempt did not get a response. */
export interface AttemptFailure {
  readonly code: ErrorCode;
  /** Short cause, e.g. `connect ECONNREFUSED 10.0.0.7:8080`. */
  readonly message: string;
  /** False when no byte of the request was handed to the kernel, so it cannot have been executed. */
  readonly sent: boolean;
  /** True when the attempt used a pooled connection, whose idle close races with our request. */
  readonly reusedConnection: boolean;
}

/** The head of an upstream's answer, before it is passed on. */
export interface AnswerView {
  readonly status: number;
  /** gRPC status, 0..16, of an answer that consists of nothing else (trailers-only); undefined for others. */
  readonly grpcStatus?: number | undefined;
  /** Value of a field by lower-case name; several of that name are joined by `, `. */
  header(name: string): string | undefined;
}
