import type { TimerHandle, Timers } from '../../ports/ports.js';
import {
  INSTANCE_FIELD,
  LOCAL_APP,
  type InstanceAnswer,
  type InstanceSpec,
  type ReceivedRequest,
  type ServiceInstances,
} from './cases.js';

/** Port of every instance; their hosts differ. */
const PORT = 8080;

export interface BackendAnswer {
  readonly status: number;
  /** Of a gRPC call; undefined for one that the case leaves to the default. */
  readonly grpcStatus: number | undefined;
  /** The gRPC status comes after a message. */
  readonly late: boolean;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface Backend {
  readonly id: string;
  readonly refuses: boolean;
  readonly script: AnswerScript;
}

/** Which answer the next request gets; those with `times` are used up. Both hosts use it, so that both answer alike. */
export class AnswerScript {
  readonly #used = new Map<InstanceAnswer, number>();

  constructor(
    private readonly id: string,
    private readonly answers: readonly InstanceAnswer[],
  ) {}

  /** @returns the answer as it is sent, with how it is given */
  next(path: string): BackendAnswer & { readonly delayMs: number; readonly reset: boolean } {
    const answer = this.answers.find(
      (one) => (one.path === undefined || path.startsWith(one.path)) && (this.#used.get(one) ?? 0) < one.times,
    );
    if (answer !== undefined) this.#used.set(answer, (this.#used.get(answer) ?? 0) + 1);
    return {
      status: answer?.status ?? 200,
      grpcStatus: answer?.grpcStatus,
      late: answer?.late ?? false,
      headers: { ...answer?.headers, [INSTANCE_FIELD]: this.id },
      body: answer?.body ?? this.id,
      delayMs: answer?.delayMs ?? 0,
      reset: answer?.reset ?? false,
    };
  }
}

/** The instances of a case on fake time: they answer, wait, refuse and break as their specification says. */
export class FakeBackends {
  readonly #byAddress = new Map<string, Backend>();
  readonly #hosts = new Map<string, string>();
  readonly received: ReceivedRequest[] = [];

  constructor(
    private readonly timers: Timers,
    app: readonly InstanceAnswer[],
  ) {
    this.#byAddress.set(`127.0.0.1:${PORT}`, {
      id: LOCAL_APP,
      refuses: false,
      script: new AnswerScript(LOCAL_APP, app),
    });
  }

  /** Puts instances in place; one that was there keeps its address. */
  place(instances: ServiceInstances): void {
    for (const spec of Object.values(instances).flat()) this.#place(spec);
  }

  /** `host:port` of an instance. */
  addressOf(id: string): string {
    return `${this.hostOf(id)}:${PORT}`;
  }

  hostOf(id: string): string {
    let host = this.#hosts.get(id);
    if (host === undefined) this.#hosts.set(id, (host = `10.0.0.${this.#hosts.size + 1}`));
    return host;
  }

  /** True when something listens at the address, `host:port`. */
  listensAt(address: string): boolean {
    return this.#byAddress.get(address)?.refuses === false;
  }

  /**
   * Hands a request to the instance at the address.
   * @param answered called once; without an answer when the instance broke the connection
   * @returns gives the request up
   */
  request(
    address: string,
    request: Omit<ReceivedRequest, 'instance'>,
    answered: (answer: BackendAnswer | undefined) => void,
  ): TimerHandle {
    const { id, script } = this.#byAddress.get(address) as Backend;
    this.received.push({ instance: id, ...request });
    const { delayMs, reset, ...answer } = script.next(request.path);
    return this.timers.after(delayMs, () => answered(reset ? undefined : answer));
  }

  #place({ id, refuses, answers }: InstanceSpec): void {
    this.#byAddress.set(this.addressOf(id), { id, refuses, script: new AnswerScript(id, answers) });
  }
}
