import type { CallHandler, Verdict } from '../../chain/call-handler.js';
import { DirectAnswer, Rejection } from '../../errors.js';
import { errorTrailers } from '../../grpc/error-trailers.js';
import { grpcStatusOfHttp } from '../../grpc/http-status.js';
import type { AnswerView, AttemptFailure, Invocation } from '../../invocation.js';
import type { Ports, TimerHandle } from '../../ports/ports.js';
import type { Endpoint } from '../../registry/endpoint.js';
import type { FakeCall } from '../fake-call.js';
import { CODE_FIELD, type ObservedAnswer } from './cases.js';
import type { BackendAnswer, FakeBackends } from './fake-backends.js';

/** How a round of attempts ended: with an answer, with a failure that another attempt may mend, or with the end of the time. */
type RoundEnd =
  | { readonly kind: 'answer'; readonly answer: BackendAnswer }
  | { readonly kind: 'failure'; readonly failure: AttemptFailure }
  | { readonly kind: 'refusal'; readonly rejection: Rejection }
  | { readonly kind: 'gone' };

interface Attempt {
  readonly endpoint: Endpoint;
  handle: TimerHandle | undefined;
}

/** Longer than any case takes; Node has no longer timers. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

const GONE: ObservedAnswer = { status: 0, headers: {}, body: '', durationMs: 0 };

/**
 * A wire without sockets, on fake time: it asks the handler everything that the proxy asks, in the same order, and obeys its
 * timeouts, hedges and second thoughts.
 */
export class FakeWire {
  constructor(
    private readonly handler: CallHandler,
    private readonly backends: FakeBackends,
    private readonly ports: Ports,
  ) {}

  /** Makes one call. @param abortAfterMs the caller leaves then */
  async exchange(call: FakeCall, body: string, abortAfterMs: number | undefined): Promise<ObservedAnswer> {
    const run = new FakeExchange(call, body, this.handler, this.backends, this.ports);
    const leaving = abortAfterMs === undefined ? undefined : this.ports.timers.after(abortAfterMs, () => run.abort());
    const answer = await run.run();
    leaving?.cancel();
    this.#mirror(call, body);
    return answer;
  }

  /** The copy is sent and forgotten. */
  #mirror(call: FakeCall, body: string): void {
    const { mirror } = call;
    if (mirror?.endpoint === undefined || !this.backends.listensAt(mirror.endpoint.key)) return;
    const request = { ...requestOf(call, body), headers: { ...requestOf(call, body).headers, host: mirror.authority } };
    this.backends.request(mirror.endpoint.key, request, () => undefined);
  }
}

class FakeExchange {
  #leave: (() => void) | undefined;
  #hasLeft = false;
  readonly #attempts = new Set<Attempt>();
  readonly #timers: TimerHandle[] = [];

  constructor(
    private readonly call: FakeCall,
    private readonly body: string,
    private readonly handler: CallHandler,
    private readonly backends: FakeBackends,
    private readonly ports: Ports,
  ) {}

  abort(): void {
    this.#hasLeft = true;
    this.#leave?.();
  }

  async run(): Promise<ObservedAnswer> {
    const { call, handler } = this;
    let verdict = await this.#orGone(handler.begin(call));
    for (;;) {
      if (verdict === undefined) return this.#left();
      if (verdict instanceof Rejection) return this.#local(verdict);
      const end = await this.#round(verdict);
      if (end.kind === 'gone') return this.#left();
      if (end.kind === 'refusal') return this.#local(handler.instead?.(call, end.rejection) ?? end.rejection);
      if (end.kind === 'failure') {
        verdict = await this.#orGone(handler.again(call, end.failure));
        continue;
      }
      const { answer } = end;
      const next = call.watchesAnswer ? handler.answered?.(call, viewOf(call, answer)) : undefined;
      const later: Verdict | undefined = next === undefined ? undefined : await this.#orGone(next);
      if (later === undefined) return this.#hasLeft ? this.#left() : this.#passOn(answer);
      verdict = later;
    }
  }

  async #orGone(verdict: Verdict | Promise<Verdict>): Promise<Verdict | undefined> {
    if (!(verdict instanceof Promise)) return verdict;
    const left = new Promise<undefined>((resolve) => (this.#leave = () => resolve(undefined)));
    // A call that waits while it is being decided about has its deadline, too.
    const late = new Promise<Rejection>((resolve) => {
      this.#after(this.call.deadlineAt - this.ports.clock.now(), () => {
        const rejection = new Rejection('MESH_ERR_TIMEOUT', 'The decision about this call took too long');
        resolve(this.handler.instead?.(this.call, rejection) ?? rejection);
      });
    });
    if (this.#hasLeft) return undefined;
    const decided = await Promise.race([verdict, left, late]);
    for (const timer of this.#timers.splice(0)) timer.cancel();
    return decided;
  }

  /** One attempt, perhaps with company, until one of them decides. */
  #round(endpoint: Endpoint): Promise<RoundEnd> {
    const { call, handler } = this;
    return new Promise((resolve) => {
      const settle = (end: RoundEnd): void => {
        for (const timer of this.#timers.splice(0)) timer.cancel();
        for (const attempt of this.#attempts) attempt.handle?.cancel();
        this.#attempts.clear();
        resolve(end);
      };
      const failed = (attempt: Attempt, failure: AttemptFailure): void => {
        this.#attempts.delete(attempt);
        attempt.handle?.cancel();
        if (this.#attempts.size === 0) {
          call.endpoint = attempt.endpoint;
          settle({ kind: 'failure', failure });
        } else this.#lose(attempt.endpoint, failure);
      };
      const answered = (attempt: Attempt, answer: BackendAnswer): void => {
        this.#attempts.delete(attempt);
        if (this.#attempts.size > 0 && handler.isFailure?.(call, viewOf(call, answer)) === true) {
          this.#lose(attempt.endpoint, statusFailure(answer));
          return;
        }
        for (const other of this.#attempts) handler.lost?.(call, other.endpoint, undefined);
        call.endpoint = attempt.endpoint;
        settle({ kind: 'answer', answer });
      };
      this.#leave = () => settle({ kind: 'gone' });
      this.#after(call.deadlineAt - this.ports.clock.now(), () => {
        const message = `${call.endpoint?.key ?? 'nobody'} did not answer in time`;
        settle({ kind: 'refusal', rejection: new Rejection('MESH_ERR_TIMEOUT', message) });
      });
      this.#after(call.hedgeAfter, () => {
        const beside = handler.hedge?.(call);
        if (beside !== undefined) this.#begin(beside, answered, failed);
      });
      call.endpoint = endpoint;
      this.#begin(endpoint, answered, failed);
    });
  }

  #begin(
    endpoint: Endpoint,
    answered: (attempt: Attempt, answer: BackendAnswer) => void,
    failed: (attempt: Attempt, failure: AttemptFailure) => void,
  ): void {
    const { call, backends } = this;
    call.attempts++;
    const attempt: Attempt = { endpoint, handle: undefined };
    this.#attempts.add(attempt);
    if (!backends.listensAt(endpoint.key)) {
      // Not at once: no refusal of a real connection comes within the same turn.
      attempt.handle = this.ports.timers.after(0, () =>
        failed(attempt, {
          code: 'MESH_ERR_CONNECT',
          message: `connect ECONNREFUSED ${endpoint.key}`,
          sent: false,
          reusedConnection: false,
        }),
      );
      return;
    }
    this.handler.connected(endpoint);
    attempt.handle = backends.request(endpoint.key, requestOf(call, this.body), (answer) => {
      if (answer === undefined) failed(attempt, brokenOff(endpoint));
      else answered(attempt, answer);
    });
    this.#after(call.tryTimeout, () => {
      if (this.#attempts.has(attempt)) failed(attempt, tooSlow(endpoint, call.tryTimeout));
    });
  }

  /** One of several attempts is over; the call goes on at another. */
  #lose(endpoint: Endpoint, failure: AttemptFailure): void {
    const [left] = this.#attempts;
    if (left !== undefined) this.call.endpoint = left.endpoint;
    this.handler.lost?.(this.call, endpoint, failure);
  }

  #after(delayMs: number, callback: () => void): void {
    if (delayMs > LONGEST_TIMER_MS) return;
    this.#timers.push(this.ports.timers.after(Math.max(0, delayMs), callback));
  }

  #passOn(answer: BackendAnswer): ObservedAnswer {
    const { status, headers, body } = answer;
    if (this.call.watchesBeginning) {
      this.handler.begun?.(this.call, status, viewOf(this.call, answer).grpcStatus);
    }
    const removed = (this.call as Invocation).removedResponseFields ?? [];
    const kept = Object.entries(headers).filter(([name]) => !removed.includes(name));
    const fields = { ...Object.fromEntries(kept), ...this.#extraFields() };
    return this.#ended(status, undefined, fields, body, this.#isGrpc ? grpcStatusOf(answer) : undefined);
  }

  get #isGrpc(): boolean {
    return this.call.protocol === 'grpc';
  }

  #local(rejection: Rejection): ObservedAnswer {
    const { code, message, hint, status, retryAfterSeconds } = rejection;
    const direct = rejection instanceof DirectAnswer ? rejection : undefined;
    const headers: Record<string, string> = {
      ...(code.startsWith('MESH_ERR_') ? { [CODE_FIELD]: code } : {}),
      ...this.#extraFields(),
    };
    if (retryAfterSeconds !== undefined) headers['retry-after'] = String(retryAfterSeconds);
    if (this.#isGrpc) {
      for (const [name, value] of errorTrailers(rejection)) headers[name] ??= value;
      headers['content-type'] = 'application/grpc';
      return this.#ended(GRPC_CARRIER_STATUS, code, headers, '', rejection.grpcStatus);
    }
    if (direct === undefined) headers['content-type'] = 'application/json; charset=utf-8';
    else if (direct.body !== '') headers['content-type'] = direct.contentType;
    const body =
      direct?.body ?? `${JSON.stringify({ code, message, service: this.call.destination?.service, hint })}\n`;
    return this.#ended(status, code, headers, body);
  }

  #left(): ObservedAnswer {
    this.#end(0, undefined, true);
    return GONE;
  }

  #ended(
    status: number,
    code: Rejection['code'] | undefined,
    headers: Readonly<Record<string, string>>,
    body: string,
    grpcStatus: number | undefined = undefined,
  ): ObservedAnswer {
    return { status, grpcStatus, headers, body, durationMs: this.#end(status, code, false, grpcStatus) };
  }

  #end(status: number, code: Rejection['code'] | undefined, aborted: boolean, grpcStatus?: number): number {
    const durationMs = this.ports.clock.now() - this.call.startedAt;
    const beganAfterMs = this.#isGrpc && code === undefined && !aborted ? durationMs : undefined;
    this.handler.end(this.call, { status, grpcStatus, code, aborted, durationMs, beganAfterMs });
    return durationMs;
  }

  #extraFields(): Record<string, string> {
    const fields = (this.call as Invocation).responseFields ?? [];
    return Object.fromEntries(fields.map(([name, value]) => [name.toLowerCase(), value]));
  }
}

/** Under this HTTP status gRPC answers. */
const GRPC_CARRIER_STATUS = 200;

/** The head of an answer; that of gRPC shows its status only if it is the whole answer. */
function viewOf(call: FakeCall, answer: BackendAnswer): AnswerView {
  const { status, headers } = answer;
  const isWhole = call.protocol === 'grpc' && !answer.late && (answer.grpcStatus ?? 0) !== 0;
  return { status, grpcStatus: isWhole ? grpcStatusOf(answer) : undefined, header: (name) => headers[name] };
}

/** The gRPC status as a client sees it. */
function grpcStatusOf({ status, grpcStatus }: BackendAnswer): number {
  return status === GRPC_CARRIER_STATUS ? (grpcStatus ?? 0) : grpcStatusOfHttp(status);
}

function requestOf(
  call: FakeCall,
  body: string,
): { method: string; path: string; headers: Record<string, string>; body: string } {
  const headers: Record<string, string> = { host: call.authority };
  for (const [name] of call.leaving) headers[name] = call.sent(name).join(', ');
  return { method: call.method, path: call.sentPath ?? call.path, headers, body };
}

function statusFailure({ status, grpcStatus }: BackendAnswer): AttemptFailure {
  return { code: 'MESH_ERR_STATUS', message: `status ${grpcStatus ?? status}`, sent: true, reusedConnection: false };
}

function brokenOff({ key }: Endpoint): AttemptFailure {
  const message = `${key} closed the connection before its answer began`;
  return { code: 'MESH_ERR_UPSTREAM_RESET', message, sent: true, reusedConnection: false };
}

function tooSlow({ key }: Endpoint, ms: number): AttemptFailure {
  const message = `${key} did not answer within ${ms} ms`;
  return { code: 'MESH_ERR_TRY_TIMEOUT', message, sent: true, reusedConnection: false };
}
