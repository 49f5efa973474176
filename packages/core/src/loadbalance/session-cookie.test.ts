import { expect } from 'chai';
import type { Endpoint } from '../registry/endpoint.js';
import { balanceRig, numbered, type BalanceRig } from '../testing/balance-rig.js';
import { FakeCall } from '../testing/fake-call.js';
import { PLAIN_RULES, type SteadySettings } from './steady-balancing.js';

const STICKY: SteadySettings = { strategy: 'SessionStickiness' };

function rigOf(settings: SteadySettings = STICKY): BalanceRig {
  return balanceRig(settings, numbered(1), numbered(2), numbered(3));
}

/** A call of a client that keeps its cookie, as the answer set it. */
function visit(
  rig: BalanceRig,
  cookie?: string,
): { readonly endpoint: Endpoint; readonly field: string; cookie: string } {
  const call = new FakeCall({ headers: cookie === undefined ? {} : { cookie: `lang=en; ${cookie}` } });
  const endpoint = rig.plan.pick(call, undefined) as Endpoint;
  const field = call.responseFields?.find(([name]) => name === 'set-cookie')?.[1] ?? '';
  return { endpoint, field, cookie: field.split(';')[0] ?? '' };
}

function fail(rig: BalanceRig, endpoint: Endpoint, times: number): void {
  for (let i = 0; i < times; i++) {
    rig.plan.started(endpoint);
    rig.plan.observe(new FakeCall(), endpoint, { status: 503, code: undefined, aborted: false, durationMs: 1 });
  }
}

describe('a session', () => {
  it('begins with a cookie for the whole site, out of reach of scripts, that lives as long as the session', () => {
    expect(visit(rigOf()).field).to.match(/^go-chassisLB=[\w-]{16}; Path=\/; HttpOnly; Max-Age=30$/);
  });

  it('stays with its endpoint, and each answer lets it live on', () => {
    const rig = rigOf();
    let { endpoint, cookie } = visit(rig);
    for (let i = 0; i < 10; i++) {
      const next = visit(rig, cookie);
      expect(next.endpoint).to.equal(endpoint);
      expect(next.field).to.include('Max-Age=30');
      ({ endpoint, cookie } = next);
    }
  });

  it('spreads new clients over all endpoints', () => {
    const rig = rigOf();
    const reached = new Set(Array.from({ length: 6 }, () => visit(rig).endpoint));
    expect(reached.size).to.equal(3);
  });

  it('is known to every other sidecar that has the same secret, and to no other', () => {
    const { endpoint, cookie } = visit(rigOf());
    expect(visit(rigOf(), cookie).endpoint.key).to.equal(endpoint.key);
    const other = rigOf({ ...STICKY, session: { ...PLAIN_RULES.session, secret: 'another' } });
    expect(visit(other, cookie).cookie).to.not.equal(cookie);
  });

  it('shows nothing of the address', () => {
    const { endpoint, cookie } = visit(rigOf());
    const value = cookie.split('=')[1] ?? '';
    expect(Buffer.from(value, 'base64url').toString('latin1')).to.not.include(endpoint.host);
  });

  it('moves, with a new cookie, when its endpoint has left', () => {
    const rig = rigOf();
    const { endpoint, cookie } = visit(rig);
    rig.publish(...[1, 2, 3].filter((n) => endpoint.host !== `10.0.0.${n}`).map((n) => numbered(n)));
    const next = visit(rig, cookie);
    expect(next.endpoint).to.not.equal(endpoint);
    expect(next.cookie).to.not.equal(cookie);
    expect(visit(rig, next.cookie).endpoint).to.equal(next.endpoint);
  });

  it('moves when its endpoint takes no calls', () => {
    const rig = rigOf();
    const { endpoint, cookie } = visit(rig);
    endpoint.bar('ejected');
    expect(visit(rig, cookie).endpoint).to.not.equal(endpoint);
  });

  it('moves after so many failures of its endpoint in a row, and not before', () => {
    const rig = rigOf();
    const { endpoint, cookie } = visit(rig);
    fail(rig, endpoint, 4);
    expect(visit(rig, cookie).endpoint).to.equal(endpoint);
    fail(rig, endpoint, 1);
    expect(visit(rig, cookie).endpoint).to.not.equal(endpoint);
  });

  it('does not move because clients left', () => {
    const rig = rigOf();
    const { endpoint, cookie } = visit(rig);
    for (let i = 0; i < 10; i++) {
      rig.plan.started(endpoint);
      rig.plan.observe(new FakeCall(), endpoint, { status: 0, code: undefined, aborted: true, durationMs: 1 });
    }
    expect(visit(rig, cookie).endpoint).to.equal(endpoint);
  });

  it('ends up with the cookie of the endpoint that answered, when another one was tried before', () => {
    const rig = rigOf();
    const call = new FakeCall();
    const first = rig.plan.pick(call, undefined) as Endpoint;
    const second = rig.plan.pick(call, [first]) as Endpoint;
    const cookies = call.responseFields?.filter(([name]) => name === 'set-cookie') ?? [];
    expect(cookies).to.have.lengthOf(1);
    expect(visit(rig, cookies[0]?.[1].split(';')[0]).endpoint).to.equal(second);
  });

  it('without a time lives until the browser is closed, and is told only once', () => {
    const rig = rigOf({ ...STICKY, session: { ...PLAIN_RULES.session, timeoutS: 0 } });
    const { cookie, field } = visit(rig);
    expect(field).to.match(/; HttpOnly$/);
    expect(visit(rig, cookie).field).to.equal('');
  });
});
