import { expect } from 'chai';
import fc from 'fast-check';
import type { AttemptFailure, Outcome } from '../invocation.js';
import { Endpoint } from '../registry/endpoint.js';
import type { ServicePlan } from '../registry/service-plan.js';
import type { ExecutorSettings } from '../resilience/timeout/executor-settings.js';
import { FakeCall } from '../testing/fake-call.js';
import { settle } from '../testing/fake-ports.js';
import { handlerRig, outcome, place } from '../testing/handler-rig.js';
import { httpInstance } from '../testing/instances.js';
import { answerOf, executorOf } from '../testing/retry-rig.js';
import type { CallHandler, Verdict } from './call-handler.js';
import type { Policy } from './policy.js';

const YAML =
  'loadbalance: {retryEnabled: true, retryOnSame: 1, retryOnNext: 2, backoff: {kind: constant, minMs: 10}, hedging: {enabled: true, delayMs: 5, maxHedges: 2}}';

const FAILURE: AttemptFailure = {
  code: 'MESH_ERR_UPSTREAM_RESET',
  message: 'reset',
  sent: true,
  reusedConnection: false,
};

let executor: ExecutorSettings;

before(async () => {
  executor = await executorOf(YAML);
});

const REFUSED: AttemptFailure = { ...FAILURE, code: 'MESH_ERR_CONNECT', sent: false };

interface Seen {
  readonly began: Endpoint[];
  readonly ended: { readonly endpoint: Endpoint; readonly outcome: Outcome }[];
}

function watcher(seen: Seen): Policy {
  return {
    name: 'watcher',
    watchesAttempts: true,
    attemptBegan: (_call, endpoint) => void seen.began.push(endpoint),
    attemptEnded: (_call, endpoint, how) => void seen.ended.push({ endpoint, outcome: how }),
  };
}

function rigOf(policies: readonly Policy[] = []): ReturnType<typeof handlerRig> & { seen: Seen } {
  const seen: Seen = { began: [], ended: [] };
  const rig = handlerRig({ executor, policies: [...policies, watcher(seen)] });
  rig.discovery.publish('world', [
    httpInstance('10.0.0.1:80'),
    httpInstance('10.0.0.2:80'),
    httpInstance('10.0.0.3:80'),
  ]);
  return { ...rig, seen };
}

function inFlightOf(plan: ServicePlan | undefined): number {
  return plan?.candidates('http').endpoints.reduce((sum, endpoint) => sum + endpoint.inFlight, 0) ?? 0;
}

describe('the ledger of attempts', () => {
  it('reports each of three attempts with its own outcome and its own time', async () => {
    const { outbound, seen, time } = rigOf();
    const call = new FakeCall();
    await place(outbound, call);
    time.advance(100);
    const again = outbound.again(call, FAILURE) as Promise<Verdict>;
    time.advance(10);
    call.endpoint = (await again) as Endpoint;
    time.advance(30);
    const next = outbound.answered?.(call, answerOf(503)) as Promise<Verdict>;
    time.advance(10);
    call.endpoint = (await next) as Endpoint;
    time.advance(7);
    outbound.end(call, outcome({ durationMs: 157 }));
    expect(seen.ended.map(({ outcome: { status, code, durationMs } }) => [status, code, durationMs])).to.deep.equal([
      [0, 'MESH_ERR_UPSTREAM_RESET', 100],
      [503, undefined, 30],
      [200, undefined, 7],
    ]);
    expect(seen.began).to.deep.equal(seen.ended.map(({ endpoint }) => endpoint));
  });

  it('does not hold against an endpoint what it has not looked at, on a connection that had worked', async () => {
    const { outbound, seen, time } = rigOf();
    const call = new FakeCall({ method: 'POST', idempotent: false });
    await place(outbound, call);
    time.advance(5);
    const next = outbound.again(call, { ...FAILURE, sent: false, reusedConnection: true });
    expect(next).to.be.instanceOf(Endpoint);
    expect(seen.ended.map((one) => one.outcome.aborted)).to.deep.equal([true]);
    expect((next as Endpoint).failuresInARow).to.equal(0);
    outbound.end(call, outcome());
    expect(inFlightOf(call.plan)).to.equal(0);
  });

  it('repeats what was not looked at no more often than is safe', async () => {
    const { outbound } = rigOf();
    const call = new FakeCall({ method: 'POST', idempotent: false });
    await place(outbound, call);
    let repeated = 0;
    const refused: AttemptFailure = { ...FAILURE, sent: false, reusedConnection: true };
    for (let next = outbound.again(call, refused); next instanceof Endpoint; next = outbound.again(call, refused)) {
      call.endpoint = next;
      repeated++;
    }
    // safeAttempts is 3, and three attempts at each of two instances are configured.
    expect(repeated).to.be.within(2, 5);
  });

  it('tells the status of gRPC, and the time until the answer from the beginning of the attempt', async () => {
    const { outbound, seen, time } = rigOf();
    const call = new FakeCall();
    await place(outbound, call);
    time.advance(100);
    const again = outbound.again(call, FAILURE) as Promise<Verdict>;
    time.advance(10);
    call.endpoint = (await again) as Endpoint;
    time.advance(40);
    outbound.end(call, outcome({ durationMs: 150, beganAfterMs: 130, grpcStatus: 13 }));
    const { grpcStatus, beganAfterMs, durationMs } = seen.ended[1]?.outcome ?? {};
    expect([grpcStatus, beganAfterMs, durationMs]).to.deep.equal([13, 20, 40]);
  });

  it('gives the outcome of a call that took one attempt as it is', async () => {
    const { outbound, seen } = rigOf();
    const call = new FakeCall();
    await place(outbound, call);
    const end = outcome({ durationMs: 12 });
    outbound.end(call, end);
    expect(seen.ended.map((one) => one.outcome)).to.deep.equal([end]);
    expect(seen.ended[0]?.outcome).to.equal(end);
  });

  it('does not count the time that a call waited in a queue as time of its attempt', async () => {
    const { outbound, seen, time } = rigOf([
      { name: 'queue', before: () => new Promise<undefined>((go) => void time.after(500, () => go(undefined))) },
    ]);
    const call = new FakeCall();
    const placed = place(outbound, call);
    await time.advanceAsync(500);
    await placed;
    time.advance(20);
    outbound.end(call, outcome({ durationMs: 520 }));
    expect(seen.ended[0]?.outcome.durationMs).to.equal(20);
  });

  it('calls a hedge that lost given up, and the winner by its own time', async () => {
    const { outbound, seen, time } = rigOf();
    const call = new FakeCall();
    const first = (await place(outbound, call)) as Endpoint;
    time.advance(5);
    const second = outbound.hedge?.(call) as Endpoint;
    time.advance(3);
    call.endpoint = second;
    outbound.lost?.(call, first, undefined);
    outbound.end(call, outcome({ durationMs: 8 }));
    expect(seen.ended.map((one) => [one.endpoint, one.outcome.aborted, one.outcome.durationMs])).to.deep.equal([
      [first, true, 8],
      [second, false, 3],
    ]);
  });

  it('gives up what is under way beside the winner when nobody has said that it lost', async () => {
    const { outbound, seen } = rigOf();
    const call = new FakeCall();
    const first = await place(outbound, call);
    outbound.hedge?.(call);
    outbound.hedge?.(call);
    outbound.end(call, outcome());
    expect(seen.ended.map((one) => one.outcome.aborted)).to.deep.equal([false, true, true]);
    expect(seen.ended[0]?.endpoint).to.equal(first);
    expect(inFlightOf(call.plan)).to.equal(0);
  });

  it('gives up an attempt that was decided when its caller was leaving', async () => {
    const { outbound, seen, time } = rigOf();
    const call = new FakeCall();
    await place(outbound, call);
    const again = outbound.again(call, FAILURE) as Promise<Verdict>;
    time.advance(10);
    await again;
    outbound.end(call, outcome({ status: 0, aborted: true }));
    expect(seen.ended.map((one) => one.outcome.aborted)).to.deep.equal([false, true]);
    expect(inFlightOf(call.plan)).to.equal(0);
  });

  it('comes back to zero after any sequence of what a wire can report', async () => {
    const steps = fc.array(
      fc.constantFrom('connect', 'reset', 'stale', '503', 'hedge', 'lose', 'fail-one', 'wait', 'abort', 'time'),
      { maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { minLength: 1, maxLength: 4 }), async (calls) => {
        const rig = rigOf();
        for (const events of calls) {
          const call = new FakeCall({ startedAt: rig.time.now() });
          await drive(rig.outbound, call, events, (ms) => rig.time.advanceAsync(ms));
        }
        await rig.time.advanceAsync(1_000);
        expect(inFlightOf(rig.directory.plans[0])).to.equal(0);
        expect(rig.seen.ended.length).to.equal(rig.seen.began.length);
      }),
      { numRuns: 60 },
    );
  });
});

/** Plays one call as a wire does, as far as `events` make sense for it, and ends it. */
async function drive(
  outbound: CallHandler,
  call: FakeCall,
  events: readonly string[],
  pass: (ms: number) => Promise<void>,
): Promise<void> {
  let verdict: Verdict | Promise<Verdict> | undefined = await place(outbound, call);
  const beside: Endpoint[] = [];
  for (const event of events) {
    if (verdict instanceof Promise) {
      if (event === 'abort') break;
      await pass(10);
      verdict = await verdict;
    }
    if (!(verdict instanceof Endpoint)) break;
    call.endpoint = verdict;
    if (event === 'abort') break;
    if (event === 'time') await pass(3);
    const isAlone = beside.length === 0;
    if (event === 'connect' && isAlone) verdict = outbound.again(call, REFUSED);
    if (event === 'reset' && isAlone) verdict = outbound.again(call, FAILURE);
    if (event === 'stale' && isAlone) verdict = outbound.again(call, { ...FAILURE, reusedConnection: true });
    if (event === '503' && isAlone) verdict = outbound.answered?.(call, answerOf(503)) ?? verdict;
    if (event === 'hedge') {
      const other = outbound.hedge?.(call);
      if (other !== undefined) beside.push(other);
    }
    const one = beside[0];
    if ((event === 'lose' || event === 'fail-one') && one !== undefined) {
      // Either the first one loses and the hedge goes on, or the other way round.
      const loser = event === 'lose' ? call.endpoint : one;
      beside.shift();
      if (event === 'lose') verdict = one;
      if (verdict instanceof Endpoint) call.endpoint = verdict;
      outbound.lost?.(call, loser, event === 'lose' ? undefined : FAILURE);
    }
    await settle();
  }
  outbound.end(call, outcome({ aborted: events.includes('abort') }));
}
