import { expect } from 'chai';
import { Rejection } from '../errors.js';
import { FakeCall } from '../testing/fake-call.js';
import { settle } from '../testing/fake-ports.js';
import { outcome } from '../testing/handler-rig.js';
import { RecordingLogger } from '../testing/recording-logger.js';
import type { Policy } from './policy.js';
import { PolicyChain } from './policy-chain.js';

interface Gate {
  readonly policy: Policy;
  readonly open: (rejection?: Rejection) => void;
  readonly fail: (error: Error) => void;
}

/** What each policy saw, in order: `+name` before, `-name` after. */
function recording(seen: string[]): (name: string, answer?: Rejection | Error) => Policy {
  return (name, answer) => ({
    name,
    before() {
      seen.push(`+${name}`);
      if (answer instanceof Error) throw answer;
      return answer;
    },
    after() {
      seen.push(`-${name}`);
    },
  });
}

/** A policy whose answer comes when the test says so. */
function gate(name: string, seen: string[]): Gate {
  let open!: (rejection?: Rejection) => void;
  let fail!: (error: Error) => void;
  const answer = new Promise<Rejection | undefined>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  const policy: Policy = {
    name,
    before() {
      seen.push(`+${name}`);
      return answer;
    },
    after() {
      seen.push(`-${name}`);
    },
  };
  return { policy, open, fail };
}

function endCall(chain: PolicyChain, call: FakeCall): void {
  call.ended = true;
  call.outcome = outcome({ aborted: true });
  chain.end(call, call.outcome);
}

describe('a chain of policies', () => {
  it('lets a call pass at once when there are none', () => {
    const chain = new PolicyChain([]);
    const call = new FakeCall();
    expect(chain.admit(call)).to.equal(undefined);
    chain.end(call, outcome());
  });

  it('asks in order, and tells in reverse order how it ended', () => {
    const seen: string[] = [];
    const make = recording(seen);
    const chain = new PolicyChain([make('a'), make('b'), make('c')]);
    const call = new FakeCall();
    expect(chain.admit(call)).to.equal(undefined);
    chain.end(call, outcome());
    expect(seen).to.deep.equal(['+a', '+b', '+c', '-c', '-b', '-a']);
  });

  it('passes over what a policy leaves out', () => {
    const seen: string[] = [];
    const chain = new PolicyChain([{ name: 'only after', after: () => void seen.push('after') }, { name: 'nothing' }]);
    const call = new FakeCall();
    expect(chain.admit(call)).to.equal(undefined);
    chain.end(call, outcome());
    expect(seen).to.deep.equal(['after']);
  });

  it('stops at the first that rejects, which itself gets no after', () => {
    const seen: string[] = [];
    const make = recording(seen);
    const rejection = new Rejection('MESH_ERR_RATE_LIMITED');
    const chain = new PolicyChain([make('a'), make('b', rejection), make('c')]);
    const call = new FakeCall();
    expect(chain.admit(call)).to.equal(rejection);
    chain.end(call, outcome({ status: 429 }));
    expect(seen).to.deep.equal(['+a', '+b', '-a']);
  });

  it('gives after to those that admitted when a later one throws', () => {
    const seen: string[] = [];
    const make = recording(seen);
    const chain = new PolicyChain([make('a'), make('b', new Error('a mistake')), make('c')]);
    const call = new FakeCall();
    expect(() => chain.admit(call)).to.throw('a mistake');
    chain.end(call, outcome({ status: 500 }));
    expect(seen).to.deep.equal(['+a', '+b', '-a']);
  });

  it('does not let one whose after throws keep the others from theirs, and names it', () => {
    const seen: string[] = [];
    const make = recording(seen);
    const broken: Policy = {
      name: 'broken',
      after() {
        throw new Error('a mistake');
      },
    };
    const logger = new RecordingLogger();
    const chain = new PolicyChain([make('a'), broken, make('c')], logger);
    const call = new FakeCall();
    expect(chain.admit(call)).to.equal(undefined);
    chain.end(call, outcome());
    expect(seen).to.deep.equal(['+a', '+c', '-c', '-a']);
    expect(logger.lines[0]?.fields).to.include({ policy: 'broken' });
  });

  it('goes on behind a policy that had to wait', async () => {
    const seen: string[] = [];
    const make = recording(seen);
    const slow = gate('slow', seen);
    const chain = new PolicyChain([make('a'), slow.policy, make('c')]);
    const call = new FakeCall();
    const admitted = chain.admit(call);
    expect(admitted).to.be.an.instanceof(Promise);
    expect(call.admitted).to.equal(1);
    slow.open();
    expect(await admitted).to.equal(undefined);
    chain.end(call, outcome());
    expect(seen).to.deep.equal(['+a', '+slow', '+c', '-c', '-slow', '-a']);
  });

  it('waits for one policy after the other', async () => {
    const seen: string[] = [];
    const one = gate('one', seen);
    const two = gate('two', seen);
    const chain = new PolicyChain([one.policy, two.policy]);
    const call = new FakeCall();
    const admitted = chain.admit(call);
    one.open();
    await settle();
    expect(seen).to.deep.equal(['+one', '+two']);
    const rejection = new Rejection('MESH_ERR_DENIED');
    two.open(rejection);
    expect(await admitted).to.equal(rejection);
    chain.end(call, outcome());
    expect(seen).to.deep.equal(['+one', '+two', '-one']);
  });

  it('passes on that a policy failed while it waited', async () => {
    const seen: string[] = [];
    const slow = gate('slow', seen);
    const chain = new PolicyChain([recording(seen)('a'), slow.policy]);
    const call = new FakeCall();
    const admitted = chain.admit(call) as Promise<unknown>;
    slow.fail(new Error('no connection'));
    expect(await admitted.catch((error: Error) => error.message)).to.equal('no connection');
    chain.end(call, outcome({ status: 500 }));
    expect(seen).to.deep.equal(['+a', '+slow', '-a']);
  });

  it('gives after to a policy that lets the call pass when the caller has left already, and asks no further one', async () => {
    const seen: string[] = [];
    const make = recording(seen);
    const slow = gate('slow', seen);
    const outcomes: boolean[] = [];
    const chain = new PolicyChain([
      make('a'),
      { ...slow.policy, after: (_call, { aborted }) => void outcomes.push(aborted) },
      make('c'),
    ]);
    const call = new FakeCall();
    const admitted = chain.admit(call);
    endCall(chain, call);
    expect(seen).to.deep.equal(['+a', '+slow', '-a']);
    slow.open();
    await admitted;
    expect(outcomes).to.deep.equal([true]);
    expect(seen).to.deep.equal(['+a', '+slow', '-a']);
  });

  it('gives no after to a policy that rejects a call whose caller has left', async () => {
    const seen: string[] = [];
    const slow = gate('slow', seen);
    const chain = new PolicyChain([slow.policy]);
    const call = new FakeCall();
    const admitted = chain.admit(call);
    endCall(chain, call);
    slow.open(new Rejection('MESH_ERR_DENIED'));
    await admitted;
    expect(seen).to.deep.equal(['+slow']);
  });

  it('shows a call that is refused ahead of it to those at its beginning that only record, once', () => {
    const seen: string[] = [];
    const policy = recording(seen);
    const records = (name: string): Policy => ({ ...policy(name), seesRefused: true });
    const chain = new PolicyChain([records('a'), records('b'), policy('c'), records('d')]);
    const call = new FakeCall();
    const rejection = new Rejection('MESH_ERR_LOOP', 'in a loop');
    expect(chain.instead(call, rejection)).to.equal(rejection);
    chain.instead(call, rejection);
    chain.end(call, outcome());
    expect(seen).to.deep.equal(['+a', '+b', '-b', '-a']);
    const admitted = new FakeCall();
    void chain.admit(admitted);
    seen.length = 0;
    chain.instead(admitted, rejection);
    expect(seen).to.deep.equal([]);
  });

  it('survives a policy that fails at a call which is refused, and does not tell it the end', () => {
    const seen: string[] = [];
    const logger = new RecordingLogger();
    const broken: Policy = { ...recording(seen)('a', new Error('broken')), seesRefused: true };
    const chain = new PolicyChain([broken], logger);
    const call = new FakeCall();
    chain.instead(call, new Rejection('MESH_ERR_LOOP', 'in a loop'));
    chain.end(call, outcome());
    expect(seen).to.deep.equal(['+a']);
  });
});
