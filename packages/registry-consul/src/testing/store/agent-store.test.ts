import { fakePorts } from '@mesher/core/testing';
import { expect } from 'chai';
import { AgentStore } from './agent-store.js';
import { readDefinition } from './read-definition.js';
import type { Json } from '../http/call.js';

interface Rig {
  readonly store: AgentStore;
  readonly tick: (seconds: number) => void;
  readonly register: (definition: Json) => void;
  /** Status of the only check of `web`; undefined once it is gone. */
  readonly status: () => string | undefined;
}

function rig(): Rig {
  const ports = fakePorts();
  const store = new AgentStore(ports);
  return {
    store,
    tick: (seconds) => ports.time.advance(seconds * 1_000),
    register: (definition) => store.register(readDefinition({ Name: 'web', ...definition })),
    status: () => store.check('service:web')?.Status,
  };
}

describe('the checks of the Consul agent of tests', () => {
  it('become critical when their lease ends, and pass again when the client speaks', () => {
    const { store, tick, register, status } = rig();
    register({ Check: { TTL: '15s', Status: 'passing' } });
    for (let round = 0; round < 5; round++) {
      tick(14);
      store.updateCheck('service:web', 'passing', '');
    }
    tick(14.9);
    expect(status()).to.equal('passing');
    tick(0.2);
    expect(status()).to.equal('critical');
    expect(store.check('service:web')?.Output).to.equal('TTL expired');
    store.updateCheck('service:web', 'passing', '');
    expect(status()).to.equal('passing');
    store.close();
  });

  it('take their instance away when they were critical for longer than it said, at the next look', () => {
    const { store, tick, register } = rig();
    // Consul makes a minute of anything shorter.
    register({ Check: { TTL: '10s', Status: 'passing', DeregisterCriticalServiceAfter: '5s' } });
    tick(69);
    expect(store.services()).to.have.lengthOf(1);
    tick(31);
    expect(store.services()).to.have.lengthOf(0);
    expect(store.checks()).to.have.lengthOf(0);
    store.close();
  });

  it('leave no timer behind when their instance goes, is registered again, or everything is forgotten', () => {
    const ports = fakePorts();
    const store = new AgentStore(ports);
    const idle = ports.time.pendingTimers;
    const definition = readDefinition({
      Name: 'web',
      Checks: [{ TTL: '10s' }, { TCP: '127.0.0.1:1', Interval: '10s' }],
    });
    for (let round = 0; round < 3; round++) store.register(definition);
    expect(ports.time.pendingTimers).to.equal(idle + 3);
    store.deregister('web');
    expect(ports.time.pendingTimers).to.equal(idle);
    store.register(definition);
    store.forget();
    expect(ports.time.pendingTimers).to.equal(idle);
    store.close();
    expect(ports.time.pendingTimers).to.equal(0);
  });

  it('go with their instances, and the indexes begin again, when everything is forgotten', () => {
    const { store, register, status } = rig();
    register({ Check: { TTL: '10s' } });
    store.kv.put('a', Buffer.from('1'));
    const before = store.indexes.ofService('web');
    store.forget(3);
    expect([status(), store.services().length, store.kv.get('a')]).to.deep.equal([undefined, 0, undefined]);
    expect(store.indexes.ofService('web')).to.equal(3);
    register({});
    expect(store.indexes.ofService('web')).to.equal(4).and.to.be.below(before);
    store.close();
  });
});
