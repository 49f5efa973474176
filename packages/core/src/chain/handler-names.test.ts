import { expect } from 'chai';
import { isMeshError } from '../errors.js';
import { FakeCall } from '../testing/fake-call.js';
import { outcome } from '../testing/handler-rig.js';
import type { PolicyContext } from './policy.js';
import { policyContext } from '../testing/policy-context.js';
import { DEFAULT_CONSUMER_CHAIN, DEFAULT_PROVIDER_CHAIN, HANDLER_NAMES, assembleChain } from './handler-names.js';

describe('handler names', () => {
  let context: PolicyContext;

  before(async () => {
    context = await policyContext();
  });

  it('of go-chassis and mesher are all known', () => {
    const known = [
      ...['transport', 'loadbalance', 'router', 'fault-inject', 'tracing-consumer', 'tracing-provider'],
      ...['traffic-marker', 'bizkeeper-consumer', 'bizkeeper-provider', 'ratelimiter-consumer', 'ratelimiter-provider'],
      ...['rate-limiter', 'monitoring', 'access-log', 'jwt', 'basicAuth'],
      ...['port-selector', 'oauth2', 'skywalking-consumer', 'skywalking-provider'],
    ];
    expect(Object.keys(HANDLER_NAMES)).to.have.members(known);
  });

  it('of the default chains are known', () => {
    expect(() => assembleChain('Consumer.outgoing', DEFAULT_CONSUMER_CHAIN, context)).to.not.throw();
    expect(() => assembleChain('Provider.incoming', DEFAULT_PROVIDER_CHAIN, context)).to.not.throw();
  });

  it('become policies in their order; those of the executor and those to come become none', () => {
    const seen: string[] = [];
    const meanings = {
      a: () => ({ name: 'a', before: () => void seen.push('a') }),
      b: () => ({ name: 'b', before: () => void seen.push('b') }),
      transport: 'executor',
      router: 'later',
    } as const;
    const { policies, withoutEffect } = assembleChain('X', ['b', 'transport', 'router', 'a'], context, meanings);
    const call = new FakeCall();
    expect(policies.admit(call)).to.equal(undefined);
    policies.end(call, outcome());
    expect(seen).to.deep.equal(['b', 'a']);
    expect(withoutEffect).to.deep.equal(['router']);
  });

  it('that do not exist are refused with the place and the known ones', () => {
    for (const name of ['loadbalancer', 'constructor', '__proto__', '']) {
      expect(() => assembleChain('Consumer.outgoing', ['router', name], context), name)
        .to.throw(/servicecomb\.handler\.chain\.Consumer\.outgoing.*known are .*loadbalance/)
        .that.satisfies((error: unknown) => isMeshError(error, 'MESH_ERR_UNKNOWN_HANDLER'));
    }
  });
});
