import { expect } from 'chai';
import fc from 'fast-check';
import type { AttemptFailure } from '../../invocation.js';
import { Endpoint } from '../../registry/endpoint.js';
import { FakeCall } from '../../testing/fake-call.js';
import { answerOf, retryRig } from '../../testing/retry-rig.js';
import { DEFAULT_EXECUTOR_SETTINGS, type ExecutorSettings } from '../timeout/executor-settings.js';
import type { NextAttempt } from './retry-planner.js';

const failures: fc.Arbitrary<AttemptFailure> = fc.record({
  code: fc.constantFrom('MESH_ERR_CONNECT', 'MESH_ERR_UPSTREAM_RESET', 'MESH_ERR_TRY_TIMEOUT', 'MESH_ERR_BAD_UPSTREAM'),
  message: fc.constant('it failed'),
  sent: fc.boolean(),
  reusedConnection: fc.boolean(),
});

const events = fc.oneof(failures, fc.constantFrom(500, 502, 503));

const settingsOf: fc.Arbitrary<ExecutorSettings> = fc
  .record({
    retryEnabled: fc.boolean(),
    retryOnSame: fc.integer({ min: 0, max: 3 }),
    retryOnNext: fc.integer({ min: 0, max: 3 }),
    safeAttempts: fc.integer({ min: 1, max: 5 }),
    retryOn: fc.constantFrom<readonly string[]>(['5xx', 'timeout'], ['reset'], ['503']),
    minMs: fc.integer({ min: 0, max: 200 }),
    percent: fc.integer({ min: 0, max: 100 }),
    minPerSecond: fc.constantFrom(0, 0.2, 10),
  })
  .map(({ minMs, percent, minPerSecond, ...keys }) => ({
    ...DEFAULT_EXECUTOR_SETTINGS,
    retries: {
      ...DEFAULT_EXECUTOR_SETTINGS.retries,
      ...keys,
      backoff: { kind: 'jittered', minMs, maxMs: 400, maxRetryAfterMs: 1_000 },
      retryBudget: { percent, minPerSecond },
    },
  }));

describe('what retries promise', () => {
  it('holds for any settings and failures: bounds of attempts, deadline, budget, and no unsafe method twice', async () => {
    await fc.assert(
      fc.asyncProperty(
        settingsOf,
        fc.array(events, { minLength: 1, maxLength: 20 }),
        fc.boolean(),
        fc.integer({ min: 1, max: 1_000 }),
        async (settings, sequence, idempotent, timeout) => {
          const { retries } = settings;
          const rig = retryRig(settings, 5);
          const call = new FakeCall({ idempotent, method: idempotent ? 'GET' : 'POST' });
          rig.begin(call);
          call.deadlineAt = timeout;
          const budget = rig.planner.of(rig.plan).budget;
          const allowance = budget.allowance;
          let attempts = 1;
          for (const event of sequence) {
            const wasExecuted = typeof event === 'number' || event.sent;
            const isStale = typeof event !== 'number' && event.reusedConnection;
            let next: NextAttempt;
            if (typeof event === 'number') {
              next = rig.planner.answered(call, rig.plan, answerOf(event));
              call.failedAttempts++;
            } else {
              call.failedAttempts++;
              next = rig.planner.again(call, rig.plan, event);
            }
            if (next === undefined) break;
            if (next instanceof Promise) {
              rig.time.advance(400);
              next = await next;
            }
            expect(next).to.be.an.instanceof(Endpoint);
            attempts++;
            call.endpoint = next;
            if (wasExecuted) expect(idempotent).to.equal(true);
            const configured = ((retries.retryOnSame ?? 0) + 1) * ((retries.retryOnNext ?? 0) + 1);
            const safe = retries.safeAttempts ?? 1;
            const bound = Math.max(safe, retries.retryEnabled === true ? configured : 1, isStale ? 2 : 1);
            expect(attempts).to.be.at.most(bound);
          }
          expect(budget.taken).to.be.at.most(allowance);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('never begins a wait that ends at or behind the deadline', () => {
    fc.assert(
      fc.property(
        settingsOf,
        fc.integer({ min: 1, max: 500 }),
        fc.integer({ min: 0, max: 600 }),
        (settings, timeout, at) => {
          const rig = retryRig(settings, 2);
          const call = new FakeCall();
          rig.begin(call);
          call.deadlineAt = timeout;
          rig.time.advance(at);
          const pending = rig.time.pendingTimers;
          const next = rig.planner.answered(call, rig.plan, answerOf(503));
          if (next === undefined) return;
          expect(at).to.be.lessThan(timeout);
          rig.time.advance(Math.max(0, timeout - at - Number.EPSILON));
          expect(rig.time.pendingTimers).to.equal(pending);
        },
      ),
      { numRuns: 300 },
    );
  });
});
