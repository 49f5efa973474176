import { parseJsonInSlices, type LiveTls } from '@mesher/core';
import { factsOf, type Indexed } from './blocking-answer.js';
import type { Question } from './blocking-query.js';
import type { Answer, Call, Calls } from './calls.js';
import { ConsulError, messageOf } from './consul-error.js';
import type { ConsulLibrary } from './library.js';
import type { CheckStatus, WireRegistration } from './wire-model.js';

export interface ClientOptions {
  readonly datacenter: string | undefined;
  readonly consistency: 'default' | 'stale' | 'consistent';
  /** Undefined without TLS. */
  readonly tls: LiveTls | undefined;
}

/** Longest note of a check: the agent sends it along with every change. */
const MAX_NOTE = 512;

/** What Mesher asks Consul for. Content comes as it was sent: whoever reads it guards against nonsense. */
export class ConsulClient {
  constructor(
    private readonly calls: Calls,
    private readonly options: ClientOptions,
  ) {}

  /** The agent that is asked, for people. */
  get origin(): string {
    return this.calls.origin;
  }

  /** Registers at the agent, or replaces what is registered under the same id, with its checks. @throws ConsulError */
  async register(registration: WireRegistration, timeoutMs: number | undefined, signal: AbortSignal): Promise<void> {
    const { weights, enableTagOverride, ...known } = registration;
    await this.#send(
      {
        ask: ({ agent }, common) => agent.service.register({ ...known, ...common }),
        query: { 'replace-existing-checks': 'true' },
        body: { Weights: weights, EnableTagOverride: enableTagOverride },
        timeoutMs,
      },
      signal,
    );
  }

  /** Takes a registration out; one that is not there is out. @throws ConsulError */
  async deregister(id: string, timeoutMs: number | undefined, signal: AbortSignal): Promise<void> {
    await this.#send(
      { ask: ({ agent }, common) => agent.service.deregister({ id, ...common }), alsoTakes: 404, timeoutMs },
      signal,
    );
  }

  /** @param reason shown to people; @throws ConsulError, CONSUL_UNKNOWN when the agent does not know the id */
  async setMaintenance(
    id: string,
    enable: boolean,
    reason: string,
    timeoutMs: number | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#send(
      { ask: ({ agent }, common) => agent.service.maintenance({ id, enable, reason, ...common }), timeoutMs },
      signal,
    );
  }

  /** Tells the state of a TTL check, which keeps it alive. @throws ConsulError, CONSUL_UNKNOWN when the agent has no such check */
  async updateCheck(
    id: string,
    status: CheckStatus,
    note: string,
    timeoutMs: number | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const verb = ({ passing: 'pass', warning: 'warn', critical: 'fail' } as const)[status];
    const options = { id, note: note.slice(0, MAX_NOTE) };
    await this.#send({ ask: ({ agent }, common) => agent.check[verb]({ ...options, ...common }), timeoutMs }, signal);
  }

  /** Whether the agent has a registration of that id. @throws ConsulError */
  async isRegistered(id: string, timeoutMs: number | undefined, signal: AbortSignal): Promise<boolean> {
    const filter = `ID == ${JSON.stringify(id)}`;
    const answer = await this.#send(
      { ask: ({ agent }, common) => agent.service.list({ filter, ...common }), timeoutMs },
      signal,
    );
    const listed = await jsonOf(answer);
    if (typeof listed !== 'object' || listed === null) throw noJson('a list of registrations');
    return Object.hasOwn(listed, id);
  }

  /** Instances of a service with their checks, whatever their state. @throws ConsulError */
  healthOf(
    service: string,
    question: Question,
    near: string | undefined,
    signal: AbortSignal,
  ): Promise<Indexed<unknown>> {
    return this.#ask(
      question,
      ({ health }, options) => health.service({ service, ...(near === undefined ? {} : { near }), ...options }),
      signal,
    );
  }

  /** Names of all services, with all their tags. @throws ConsulError */
  serviceNames(question: Question, signal: AbortSignal): Promise<Indexed<unknown>> {
    return this.#ask(question, ({ catalog }, options) => catalog.service.list(options), signal);
  }

  /** Instances of a service without their checks. @throws ConsulError */
  catalogOf(service: string, signal: AbortSignal): Promise<Indexed<unknown>> {
    const now: Question = { index: 0n, waitMs: 0 };
    return this.#ask(now, ({ catalog }, options) => catalog.service.nodes({ service, ...options }), signal);
  }

  /**
   * All keys that begin with `prefix`: items with `Key`, `Value` in Base64 or null, and `ModifyIndex`. An empty list when there is no
   * such key.
   * @throws ConsulError
   */
  keysBelow(prefix: string, question: Question, signal: AbortSignal): Promise<Indexed<unknown>> {
    const ask = ({ kv }: ConsulLibrary, options: object): Promise<unknown> =>
      kv.get({ key: prefix, recurse: true, ...options });
    return this.#ask(question, ask, signal, 404);
  }

  /** Address of the leader of the servers; empty while there is none. @throws ConsulError */
  async leader(signal: AbortSignal): Promise<string> {
    const leader = await jsonOf(await this.#send({ ask: ({ status }, common) => status.leader(common) }, signal));
    if (typeof leader !== 'string') throw noJson('the address of the leader');
    return leader;
  }

  /** What does not keep the client from working: certificates that cannot be used. */
  get problems(): readonly string[] {
    const trouble = this.options.tls?.trouble;
    return trouble === undefined ? [] : [`TLS: ${trouble}`];
  }

  close(): void {
    void this.options.tls?.close();
    this.calls.close();
  }

  async #ask(
    { index, waitMs }: Question,
    ask: (library: ConsulLibrary, options: object) => Promise<unknown>,
    signal: AbortSignal,
    alsoTakes?: number,
  ): Promise<Indexed<unknown>> {
    const { datacenter, consistency } = this.options;
    const options = {
      ...(datacenter === undefined ? {} : { dc: datacenter }),
      ...(consistency === 'default' ? {} : { [consistency]: true }),
      ...(index === 0n ? {} : { index: String(index), wait: `${waitMs}ms` }),
    };
    const answer = await this.#send(
      {
        ask: (library, common) => ask(library, { ...options, ...common }),
        heldMs: waitMs,
        ...(alsoTakes === undefined ? {} : { alsoTakes }),
      },
      signal,
    );
    const facts = factsOf(answer);
    return { ...facts, content: answer.status === alsoTakes ? [] : await jsonOf(answer) };
  }

  #send(
    call: Omit<Call, 'timeoutMs'> & { readonly timeoutMs?: number | undefined },
    signal: AbortSignal,
  ): Promise<Answer> {
    const { timeoutMs, ...rest } = call;
    return this.calls.send(timeoutMs === undefined ? rest : { ...rest, timeoutMs }, signal);
  }
}

async function jsonOf({ body }: Answer): Promise<unknown> {
  try {
    return await parseJsonInSlices(body);
  } catch (error) {
    throw new ConsulError('CONSUL_ANSWER', `an answer of Consul is no JSON: ${messageOf(error).slice(0, 100)}`);
  }
}

function noJson(expected: string): ConsulError {
  return new ConsulError('CONSUL_ANSWER', `an answer of Consul is not ${expected}`);
}
