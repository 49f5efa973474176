import { expect } from 'chai';
import { createHook } from 'node:async_hooks';
import { execFileSync } from 'node:child_process';
import { settle } from '../../testing/fake-ports.js';
import { BreakerCircuit } from './breaker-circuit.js';

function circuit() {
  const heard: string[] = [];
  const made = new BreakerCircuit({
    circuitClosed: () => heard.push(`closed, ${made.state}`),
    circuitReopened: () => heard.push(`reopened, ${made.state}`),
  });
  return { made, heard };
}

describe('the state machine behind a breaker that tripped', () => {
  it('is open from the beginning, and half-open from the first probe on', () => {
    const { made, heard } = circuit();
    expect(made.state).to.equal('open');
    made.probe();
    expect(made.state).to.equal('half-open');
    expect(heard).to.deep.equal([]);
  });

  it('changes in the turn in which the probes end: no call is decided about by a state that is over', () => {
    const { made, heard } = circuit();
    made.probe();
    made.end(false);
    expect(made.state).to.equal('open');
    made.probe();
    made.end(true);
    expect(made.state).to.equal('closed');
    expect(heard).to.deep.equal(['reopened, open', 'closed, closed']);
  });

  it('says what happened once, and rejects nothing that nobody waits for', async () => {
    const rejected: unknown[] = [];
    const note = (reason: unknown): void => void rejected.push(reason);
    process.on('unhandledRejection', note);
    const { made, heard } = circuit();
    made.probe();
    made.end(false);
    made.end(true);
    await settle();
    await new Promise((done) => setImmediate(done));
    process.off('unhandledRejection', note);
    expect(rejected).to.deep.equal([]);
    expect(heard).to.deep.equal(['reopened, open']);
  });

  it('starts no timer, open or half-open', () => {
    // Also those that would not keep the process alive.
    let timers = 0;
    const hook = createHook({ init: (_id, type) => void (type === 'Timeout' && timers++) }).enable();
    const many = Array.from({ length: 20 }, () => circuit().made);
    for (const made of many.slice(10)) made.probe();
    for (const made of many.slice(15)) made.end(false);
    hook.disable();
    expect(timers).to.equal(0);
  });

  it('costs nothing while no breaker is configured: the library is not even loaded', () => {
    const core = new URL('../../index.js', import.meta.url).href;
    const script = `import { createRequire } from 'node:module';
      await import(${JSON.stringify(core)});
      const { cache } = createRequire(${JSON.stringify(core)});
      console.log(Object.keys(cache).filter((file) => file.includes('opossum')).length);`;
    const loaded = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    expect(loaded.trim()).to.equal('0');
  });

  it('stays half-open for as long as its probes take: nothing ends a round but its end', async () => {
    const { made, heard } = circuit();
    made.probe();
    await settle();
    expect(made.state).to.equal('half-open');
    made.end(true);
    expect(heard).to.deep.equal(['closed, closed']);
  });

  it('says nothing after it was shut down', () => {
    const { made, heard } = circuit();
    made.probe();
    made.shutdown();
    made.end(true);
    expect(heard).to.deep.equal([]);
  });
});
