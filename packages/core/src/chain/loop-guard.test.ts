import { expect } from 'chai';
import { FakeCall } from '../testing/fake-call.js';
import { LoopGuard } from './loop-guard.js';

const HOP = 'x-mesher-hop';

/** A sidecar as far as loops matter. */
class Sidecar {
  readonly outbound: LoopGuard;
  readonly inbound: LoopGuard;

  constructor(id: string, maxHops = 64) {
    this.outbound = new LoopGuard(id, 'outbound', { maxHops });
    this.inbound = new LoopGuard(id, 'inbound', { maxHops });
  }
}

/** Sends a request along guards; an application between them passes every field on, the hardest case there is. */
function travel(...guards: readonly LoopGuard[]): { passed: number; code: string | undefined; message: string } {
  let call = new FakeCall();
  for (const [passed, guard] of guards.entries()) {
    const rejection = guard.check(call);
    if (rejection !== undefined) return { passed, code: rejection.code, message: rejection.message };
    call = call.forwarded();
  }
  return { passed: guards.length, code: undefined, message: '' };
}

describe('the loop guard', () => {
  const a = new Sidecar('aaaaaaaaaaaa');
  const b = new Sidecar('bbbbbbbbbbbb');
  const c = new Sidecar('cccccccccccc');

  it('marks a request with id, direction and number of the hop', () => {
    const call = new FakeCall();
    expect(a.outbound.check(call)).to.equal(undefined);
    expect(call.sent(HOP)).to.deep.equal(['aaaaaaaaaaaa.o1']);
    const next = call.forwarded();
    b.inbound.check(next);
    expect(next.sent(HOP).join(', ')).to.equal('aaaaaaaaaaaa.o1, bbbbbbbbbbbb.i2');
  });

  it('lets the usual call pass: outbound here, inbound there', () => {
    expect(travel(a.outbound, b.inbound).code).to.equal(undefined);
  });

  it('lets a call to the own service pass through the own sidecar', () => {
    expect(travel(a.outbound, a.inbound).code).to.equal(undefined);
  });

  it('lets services call each other back, although the applications pass the marks on', () => {
    expect(travel(a.outbound, b.inbound, b.outbound, a.inbound, a.outbound, b.inbound).code).to.equal(undefined);
  });

  it('lets two applications share a sidecar, which then sees the same request four times', () => {
    expect(travel(a.outbound, a.inbound, a.outbound, a.inbound, a.outbound).code).to.equal(undefined);
  });

  it('lets a chain of sidecars pass', () => {
    expect(travel(a.outbound, b.inbound, b.outbound, c.inbound, c.outbound, a.inbound).code).to.equal(undefined);
  });

  it('stops a call whose registered address is the outbound side of the own sidecar', () => {
    const { passed, code, message } = travel(a.outbound, a.outbound);
    expect([passed, code]).to.deep.equal([1, 'MESH_ERR_LOOP']);
    expect(message).to.contain('outbound call to world came back');
  });

  it('stops a circle over the outbound sides of several sidecars', () => {
    expect(travel(a.outbound, b.outbound, c.outbound, a.outbound)).to.include({ passed: 3, code: 'MESH_ERR_LOOP' });
    expect(travel(a.outbound, b.outbound, c.outbound, b.outbound)).to.include({ passed: 3, code: 'MESH_ERR_LOOP' });
  });

  it('stops a circle over the inbound sides of several sidecars', () => {
    expect(travel(a.outbound, b.inbound, c.inbound, b.inbound)).to.include({ passed: 3, code: 'MESH_ERR_LOOP' });
  });

  it('stops a circle in which inbound and outbound sides take turns after maxHops hops: marks cannot tell it from applications', () => {
    const small = [new Sidecar('dddddddddddd', 10), new Sidecar('eeeeeeeeeeee', 10)] as const;
    const circle = Array.from({ length: 30 }, (_, i) => (i % 2 === 0 ? small[0].outbound : small[1].inbound));
    const { passed, code, message } = travel(...circle);
    expect([passed, code]).to.deep.equal([10, 'MESH_ERR_LOOP']);
    expect(message).to.contain('has passed 10 sidecars');
  });

  it('does not let the marks grow with the length of a chain', () => {
    let call = new FakeCall();
    for (let i = 0; i < 20; i++) {
      for (const guard of [a.outbound, b.inbound]) {
        guard.check(call);
        expect(call.sent(HOP).length).to.be.at.most(2);
        call = call.forwarded();
      }
    }
  });

  it('finds its mark among marks that something else has joined', () => {
    const call = new FakeCall({ headers: { [HOP]: 'bbbbbbbbbbbb.o1,aaaaaaaaaaaa.o2, cccccccccccc.o3' } });
    expect(a.outbound.check(call)?.code).to.equal('MESH_ERR_LOOP');
  });

  it('is not led astray by a field that is no mark', () => {
    for (const value of ['', 'x', '.', '.o', 'nonsense.q-1', 'a.o1e400', 'a.o-5', ', ,', 'a.o1.5']) {
      for (const guard of [a.outbound, a.inbound]) {
        const call = new FakeCall({ headers: { [HOP]: value } });
        expect(guard.check(call), value).to.equal(undefined);
        expect(call.sent(HOP).at(-1), value).to.match(/^aaaaaaaaaaaa\.[oi]\d+$/);
      }
    }
  });

  it('refuses a number of hops that somebody made up', () => {
    const call = new FakeCall({ headers: { [HOP]: 'bbbbbbbbbbbb.o999999' } });
    expect(a.inbound.check(call)?.code).to.equal('MESH_ERR_LOOP');
  });
});
