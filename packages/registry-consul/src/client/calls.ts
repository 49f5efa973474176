import { connectionTrouble, type Timers, type TlsKeyNames } from '@mesher/core';
import type { AgentLine, Agents } from './agents.js';
import { CallContext } from './call-context.js';
import { codeOf, ConsulError, errorOfAnswer } from './consul-error.js';
import type { ConsulLibrary, LibraryAnswer } from './library.js';
import type { TokenSource } from './token-source.js';

/** What goes with every request. */
export interface CallDefaults {
  readonly namespace: string | undefined;
  readonly partition: string | undefined;
  /** `user:password` for a gateway. */
  readonly httpAuth: string | undefined;
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

export interface Call {
  /** Asks with the named part of the library, with the options that it is given besides its own. */
  readonly ask: (library: ConsulLibrary, common: { readonly ctx: CallContext }) => Promise<unknown>;
  readonly query?: Readonly<Record<string, string>>;
  /** Members of the body that the library leaves out. */
  readonly body?: Readonly<Record<string, unknown>>;
  /** Time that Consul was asked to hold back the answer, in milliseconds. */
  readonly heldMs?: number;
  /** Instead of the usual one. */
  readonly timeoutMs?: number;
  /** An answer that is none of 2xx, and welcome all the same. */
  readonly alsoTakes?: number;
}

/** A whole answer. */
export interface Answer {
  readonly status: number;
  readonly body: Uint8Array;
  /** By name in lower case. */
  readonly header: (name: string) => string | undefined;
}

const TLS_KEYS: TlsKeyNames = {
  caFile: 'servicecomb.registry.consul.caFile (CONSUL_CACERT)',
  serverName: 'servicecomb.registry.consul.serverName (CONSUL_TLS_SERVER_NAME)',
  certFile: 'servicecomb.registry.consul.certFile (CONSUL_CLIENT_CERT)',
};

/** Requests to Consul, each with bounds of time and size; knows nothing of what they are about. */
export class Calls {
  #isClosed = false;

  constructor(
    private readonly agents: Agents,
    private readonly token: TokenSource,
    private readonly timers: Timers,
    private readonly defaults: CallDefaults,
  ) {}

  /** The agent that is asked, for people. */
  get origin(): string {
    return this.agents.current.address.shown;
  }

  /**
   * Asks, once more when an idle connection had ended meanwhile, and once more with a token that was renewed.
   * @throws ConsulError; the reason of `signal` when it aborts
   */
  async send(call: Call, signal: AbortSignal): Promise<Answer> {
    try {
      return await this.#sendOnce(call, signal);
    } catch (error) {
      const isDenied = codeOf(error) === 'CONSUL_DENIED';
      // That the file cannot be read is not what is wrong with the answer.
      if (!isDenied || !(await this.token.refresh().catch(() => false))) throw error;
      return await this.#sendOnce(call, signal);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.agents.close();
  }

  async #sendOnce(call: Call, signal: AbortSignal, isRepeated = false): Promise<Answer> {
    signal.throwIfAborted();
    if (this.#isClosed) throw new ConsulError('CONSUL_CLOSED', 'the client of Consul is closed');
    const line = this.agents.current;
    const context = this.#contextOf(call);
    const cancel = (): void => context.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    // Consul adds up to a sixteenth of the time that it holds back an answer.
    const held = call.heldMs ?? 0;
    const timeoutMs = held + held / 16 + (call.timeoutMs ?? this.defaults.timeoutMs);
    const timer = this.timers.after(timeoutMs, () => {
      context.failure ??= `no answer within ${Math.round(timeoutMs)} ms`;
      context.cancel();
    });
    try {
      return answerOf(await call.ask(line.library, { ctx: context }));
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (this.#isClosed) throw new ConsulError('CONSUL_CLOSED', 'the client of Consul is closed');
      // A question that was held is asked anew by who asked it: the agent may have begun anew, with indexes that are lower.
      if (!isRepeated && held === 0 && context.wasDropped && context.failure === undefined) {
        return await this.#sendOnce(call, signal, true);
      }
      return this.#judge(error, call, line, context);
    } finally {
      timer.cancel();
      signal.removeEventListener('abort', cancel);
    }
  }

  #contextOf({ query, body }: Call): CallContext {
    const { namespace, partition, httpAuth, maxBytes } = this.defaults;
    const { token } = this.token;
    return new CallContext(
      {
        ...(namespace === undefined ? {} : { ns: namespace }),
        ...(partition === undefined ? {} : { partition }),
        ...query,
      },
      {
        ...(token === undefined ? {} : { 'x-consul-token': token }),
        ...(httpAuth === undefined ? {} : { authorization: `Basic ${Buffer.from(httpAuth).toString('base64')}` }),
      },
      body ?? {},
      maxBytes,
    );
  }

  /** @throws ConsulError unless the answer is welcome */
  #judge(error: unknown, call: Call, line: AgentLine, { failure }: CallContext): Answer {
    const { shown } = line.address;
    const response = failure === undefined ? responseOf(error) : undefined;
    if (response !== undefined) {
      const answer = answerOf([response]);
      if (answer.status === call.alsoTakes) return answer;
      const refused = errorOfAnswer(shown, answer.status, Buffer.from(answer.body).toString());
      if (refused.code === 'CONSUL_UNREACHABLE') this.agents.failed(line);
      throw refused;
    }
    this.agents.failed(line);
    throw new ConsulError(
      'CONSUL_UNREACHABLE',
      `Consul at ${shown} cannot be asked: ${failure ?? connectionTrouble(error, TLS_KEYS)}`,
    );
  }
}

/** The library hands over the answer and, besides it, what it made of its body. */
function answerOf(returned: unknown): Answer {
  const [response] = (Array.isArray(returned) ? returned : []) as readonly (LibraryAnswer | undefined)[];
  if (response === undefined) throw new TypeError('the library gave no answer');
  const { statusCode = 0, headers, body } = response;
  return {
    status: statusCode,
    body: body instanceof Uint8Array ? body : new Uint8Array(),
    header: (name) => {
      const value = headers[name];
      return Array.isArray(value) ? value[0] : value;
    },
  };
}

function responseOf(error: unknown): LibraryAnswer | undefined {
  const response: unknown = error instanceof Error && 'response' in error ? error.response : undefined;
  return typeof response === 'object' && response !== null ? (response as LibraryAnswer) : undefined;
}
