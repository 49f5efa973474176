import { existsSync } from 'node:fs';
import { expect } from 'chai';
import { Lab } from './lab.js';
import { commandLine } from './launch.js';

describe('Lab', () => {
  it('starts a program under the pid that it reports, whatever wraps it', async () => {
    const lab = new Lab();
    try {
      const started = await lab.start({ command: '/bin/sh', args: ['-c', 'echo $$; read wait'] });
      expect(await started.nextLine(() => true, 5_000)).to.equal(String(started.pid));
    } finally {
      await lab.close();
    }
  });

  it('ends every process and removes its folder when it is closed', async () => {
    const lab = new Lab();
    const started = await lab.start({ command: '/bin/sh', args: ['-c', "trap '' TERM; echo up; read wait"] });
    await started.nextLine(() => true, 5_000);
    lab.closeNow();
    await started.exited;
    expect(started.running).to.equal(false);
    expect(existsSync(lab.folder)).to.equal(false);
  });

  it('starts nothing once it is being closed', async () => {
    const lab = new Lab();
    await lab.close();
    const outcome = await lab.start({ command: '/bin/true', args: [] }).catch((error: unknown) => error);
    expect(outcome).to.be.an('error').with.property('message', 'the run is being ended');
  });

  it('kills a program that does not end in time and says so', async () => {
    const lab = new Lab();
    try {
      const finished = await lab.run({ command: '/bin/sh', args: ['-c', 'read wait'] }, 1);
      expect(finished.timedOut).to.equal(true);
    } finally {
      await lab.close();
    }
  });

  it('skips unread lines until the one that is asked for, and reports the end as undefined', async () => {
    const lab = new Lab();
    try {
      const started = await lab.start({ command: '/bin/sh', args: ['-c', 'echo a; echo b; echo c'] });
      expect(await started.nextLine((line) => line === 'b', 5_000)).to.equal('b');
      expect(await started.nextLine((line) => line === 'z', 5_000)).to.equal(undefined);
    } finally {
      await lab.close();
    }
  });
});

describe('commandLine', () => {
  it('pins with taskset and has the kernel kill the program with the harness', () => {
    const line = commandLine(
      { command: '/x', args: ['y'], core: 0 },
      { taskset: '/t', setpriv: '/p', descriptors: 100 },
    );
    expect(line.slice(0, 4)).to.deep.equal(['/p', '--pdeathsig', 'KILL', '--']);
    expect(line.slice(-5)).to.deep.equal(['/t', '-c', '0', '/x', 'y']);
  });

  it('does without the wrappers that a machine lacks', () => {
    const line = commandLine({ command: '/x', args: ['y'], core: 0 }, { descriptors: 100 });
    expect(line[0]).to.equal('/bin/sh');
    expect(line.slice(-3)).to.deep.equal(['100', '/x', 'y']);
  });
});
