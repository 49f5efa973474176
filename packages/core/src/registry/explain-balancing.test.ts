import { expect } from 'chai';
import { Explanation, type ExplainStep } from '../explain/explanation.js';
import { PLAIN_RULES } from '../loadbalance/steady-balancing.js';
import { balanceRig, numbered, type BalanceRig } from '../testing/balance-rig.js';
import { FakeCall } from '../testing/fake-call.js';
import { instanceAt } from '../testing/instances.js';

function explain(rig: BalanceRig, call = new FakeCall()): ExplainStep {
  const into = new Explanation();
  rig.plan.explain(call, into);
  return into.steps[0] as ExplainStep;
}

describe('the explanation of the choice', () => {
  it('names each endpoint with its probability, and why others get no calls', () => {
    const rig = balanceRig(
      {},
      numbered(1, { weight: 3 }),
      numbered(2),
      numbered(3, { status: 'DOWN' }),
      numbered(4),
      numbered(5, { weight: 0 }),
    );
    rig.at(4).bar('breaker');
    const { decision, details, data } = explain(rig);
    expect(decision).to.equal('RoundRobin among 2 of 5 endpoints');
    expect(details).to.deep.equal([
      '+ 10.0.0.1:80: 75.0 %',
      '+ 10.0.0.2:80: 25.0 %',
      '- 10.0.0.3:80: its status is not UP',
      '- 10.0.0.5:80: its weight is 0, or no number',
      '- 10.0.0.4:80: its circuit breaker is open',
    ]);
    expect(data).to.deep.include({ strategy: 'RoundRobin', panic: false });
  });

  it('names who gets no calls by the address that the call would go to', () => {
    const rig = balanceRig({}, instanceAt({ grpc: 'fd00::1:81', rest: 'fd00::1:80' }, { status: 'DOWN' }));
    expect(explain(rig).details).to.deep.equal(['- [fd00::1]:80: its status is not UP']);
    expect(explain(rig, new FakeCall({ protocol: 'grpc' })).details).to.deep.equal([
      '- [fd00::1]:81: its status is not UP',
    ]);
  });

  it('knows the endpoint of a key, and that of a session', () => {
    const hash = { ...PLAIN_RULES.hash, path: true };
    const hashed = balanceRig({ strategy: 'Maglev', hash }, ...[1, 2, 3].map((n) => numbered(n)));
    const target = hashed.plan.pick(new FakeCall(), undefined)?.key ?? '';
    expect(explain(hashed).decision).to.equal(`Maglev: ${target}`);

    const sticky = balanceRig({ strategy: 'SessionStickiness' }, numbered(1), numbered(2));
    const first = new FakeCall();
    const endpoint = sticky.plan.pick(first, undefined);
    const cookie = first.responseFields?.[0]?.[1].split(';')[0] ?? '';
    const again = new FakeCall({ headers: { cookie } });
    expect(explain(sticky, again).decision).to.equal(`${endpoint?.key ?? ''}, as the cookie of the client says`);
  });

  it('says which zone gets which part', () => {
    const at = (n: number, zone: string) => numbered(n, { metadata: { zone } });
    const rig = balanceRig({ near: { region: undefined, zone: 'a' } }, at(1, 'a'), at(2, 'a'), at(3, 'b'));
    rig.at(1).bar('ejected');
    expect(explain(rig).details).to.deep.equal([
      '+ 10.0.0.2:80: 70.0 %, same zone',
      '+ 10.0.0.3:80: 30.0 %, elsewhere',
      '- 10.0.0.1:80: it is ejected because of its answers',
    ]);
  });

  it('gives the answer of a call that nobody takes', () => {
    const into = new Explanation();
    balanceRig({}, numbered(1, { status: 'DOWN' })).plan.explain(new FakeCall(), into);
    expect(into.stopped).to.equal(true);
    expect(into.rejection?.code).to.equal('MESH_ERR_NO_INSTANCE');
  });

  it('says when ejections are ignored', () => {
    const rig = balanceRig({}, numbered(1), numbered(2), numbered(3));
    rig.at(1).bar('ejected');
    rig.at(2).bar('ejected');
    expect(explain(rig).details).to.have.lengthOf(4);
    expect(explain(rig).details[0]).to.include('too few endpoints are fit');
  });

  it('changes nothing: neither turns, nor cookies, nor counts', () => {
    const rig = balanceRig({ strategy: 'SessionStickiness' }, numbered(1), numbered(2));
    const call = new FakeCall();
    const first = rig.plan.pick(new FakeCall(), undefined);
    for (let i = 0; i < 3; i++) explain(rig, call);
    expect(call.responseFields).to.equal(undefined);
    expect(rig.plan.pick(new FakeCall(), undefined)).to.not.equal(first);
    expect(rig.at(1).inFlight + rig.at(2).inFlight).to.equal(0);
  });
});
