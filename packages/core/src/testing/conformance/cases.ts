import type { CallProtocol } from '../../invocation.js';

/** Where a case runs: in this process on fake time, or through a real sidecar over HTTP. */
export type ConformanceHost = 'in-process' | 'sidecar';

export const CONFORMANCE_HOSTS: readonly ConformanceHost[] = ['in-process', 'sidecar'];

/** One file of the table: all cases about a topic. */
export interface ConformanceTopic {
  /** Name of the file without its extension. */
  readonly topic: string;
  /** What the cases are about, in a sentence. */
  readonly about: string;
  readonly cases: readonly ConformanceCase[];
}

export interface ConformanceCase {
  /** A sentence that states the behaviour. */
  readonly name: string;
  readonly hosts: readonly ConformanceHost[];
  /** Why it does not run everywhere. */
  readonly because: string | undefined;
  /** Configuration files as users write them; microservice.yaml names the service `orders` unless it is here. */
  readonly files: Readonly<Record<string, string>>;
  /** What the registry says, by service. */
  readonly instances: ServiceInstances;
  /** How the local application answers inbound calls; it is the instance `app`. */
  readonly app: readonly InstanceAnswer[];
  /** Configuration that cannot be loaded: what the problems say; then there are no steps. */
  readonly refused: TextMatcher | undefined;
  readonly steps: readonly ConformanceStep[];
}

export type ServiceInstances = Readonly<Record<string, readonly InstanceSpec[]>>;

export interface InstanceSpec {
  readonly id: string;
  readonly version: string;
  readonly app: string;
  readonly status: string;
  readonly weight: number;
  readonly metadata: Readonly<Record<string, string>>;
  /** Nothing listens at the registered address. */
  readonly refuses: boolean;
  readonly answers: readonly InstanceAnswer[];
}

/** How an instance answers; the first answer that fits and is not used up counts, `200` when none is left. */
export interface InstanceAnswer {
  /** Only requests whose path begins so. */
  readonly path: string | undefined;
  /** How often this answer is given; as often as it is asked for when left out. */
  readonly times: number;
  readonly status: number;
  /** Of a gRPC call, under status 200: OK when left out. Another one is the whole answer (trailers-only), unless it comes {@link late}. */
  readonly grpcStatus: number | undefined;
  /** The gRPC status comes after a message, in trailers. */
  readonly late: boolean;
  readonly delayMs: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The id of the instance when left out. */
  readonly body: string | undefined;
  /** Reads the request and breaks the connection instead of answering. */
  readonly reset: boolean;
}

export type ConformanceStep = CallStep | ExplainStep | WaitStep | ChangeStep;

export interface RequestSpec {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly protocol: CallProtocol;
  /** To the local application, through its sidecar. */
  readonly inbound: boolean;
  /** Id of the instance at whose address the caller is. */
  readonly from: string | undefined;
}

/** Calls that are made one after the other, or all at once. */
export interface CallStep extends RequestSpec {
  readonly kind: 'call';
  readonly body: string;
  readonly times: number;
  readonly parallel: boolean;
  /** The client whose cookies are sent and kept; one without cookies when left out. */
  readonly client: string | undefined;
  /** The caller leaves after so long. */
  readonly abortAfterMs: number | undefined;
  readonly expect: CallExpectation;
}

export interface ExplainStep extends RequestSpec {
  readonly kind: 'explain';
  readonly expect: ExplainExpectation;
}

export interface WaitStep {
  readonly kind: 'wait';
  readonly ms: number;
}

/** The user writes other files, or the registry says something else. */
export interface ChangeStep {
  readonly kind: 'change';
  readonly files: Readonly<Record<string, string>>;
  readonly instances: ServiceInstances;
  /** The new files are not accepted, and the previous ones stay in effect. */
  readonly refused: boolean;
}

/** A text that must be equal, match a regular expression, or be absent (null). */
export type TextMatcher = string | RegExp | null;

/** How often something happens, both ends included. */
export interface Count {
  readonly min: number;
  readonly max: number;
}

/** What all answers of a step have in common, and what the instances saw. What is left out may be anything. */
export interface CallExpectation {
  /** Of every answer, of each in turn, or how often which; 0 for a connection that broke. */
  readonly status: number | readonly number[] | ReadonlyMap<number, Count> | undefined;
  /** gRPC status of every answer, of each in turn, or how often which. */
  readonly grpcStatus: number | readonly number[] | ReadonlyMap<number, Count> | undefined;
  /** `x-mesher-error` of every answer. */
  readonly code: TextMatcher | undefined;
  readonly codes: ReadonlyMap<string, Count> | undefined;
  /** Exactly these instances answered, each at least once. */
  readonly by: readonly string[] | undefined;
  /** How often which instance answered; those that are not named never did. */
  readonly share: ReadonlyMap<string, Count> | undefined;
  /** All answers come from one instance, whichever. */
  readonly same: boolean;
  /** How many requests arrived at instances, in all or at each; those that are not named got none. */
  readonly received: Count | ReadonlyMap<string, Count> | undefined;
  /** Of every answer. */
  readonly headers: ReadonlyMap<string, TextMatcher>;
  readonly body: TextMatcher | undefined;
  /** Of every request that arrived at an instance. */
  readonly sent: ReadonlyMap<string, TextMatcher>;
  readonly path: TextMatcher | undefined;
  /** Milliseconds that every call takes. */
  readonly atLeastMs: number | undefined;
  readonly withinMs: number | undefined;
}

export interface ExplainExpectation {
  readonly sent: boolean | undefined;
  readonly code: TextMatcher | undefined;
  /** For each stage, what its decision or one of its details says. */
  readonly steps: ReadonlyMap<string, TextMatcher>;
}

/** An answer as the caller got it. */
export interface ObservedAnswer {
  /** 0 when the connection broke. */
  readonly status: number;
  /** Of a gRPC call, as its client sees it; undefined for others, and when the connection broke. */
  readonly grpcStatus?: number | undefined;
  /** Names in lower case; of a gRPC call those in trailers, too. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly durationMs: number;
}

/** A request as an instance got it. */
export interface ReceivedRequest {
  readonly instance: string;
  readonly method: string;
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Field in which an instance says which one it is. */
export const INSTANCE_FIELD = 'x-instance';
/** Field in which Mesher names its error. */
export const CODE_FIELD = 'x-mesher-error';
/** Id of the local application. */
export const LOCAL_APP = 'app';
