import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { parseStatus } from './proc-stat.js';
import { readCpu, readMemory } from './process-tree.js';

const TICKS = 100;

describe('process tree', () => {
  it('adds the memory of a living child to that of its parent', async () => {
    const shell = spawn('/bin/sh', ['-c', 'exec 3<&0; cat <&3 & echo up; wait'], { stdio: ['pipe', 'pipe', 'ignore'] });
    try {
      await once(shell.stdout, 'data');
      const family = readMemory([shell.pid ?? -1]);
      const shellAlone = parseStatus(readFileSync(`/proc/${shell.pid ?? -1}/status`, 'latin1'));
      expect(family.resident).to.be.greaterThan(shellAlone.resident);
    } finally {
      shell.stdin.end();
      await once(shell, 'exit');
    }
  });

  it('counts a process once when it is named together with its parent', () => {
    const once_ = readCpu([process.pid], TICKS);
    const twice = readCpu([process.pid, process.pid], TICKS);
    expect(twice.user - once_.user).to.be.lessThan(once_.user);
  });

  it('refuses to answer for a process that is gone, instead of counting it as free of cost', async () => {
    const child = spawn('/bin/true');
    await once(child, 'exit');
    expect(() => readCpu([child.pid ?? -1], TICKS)).to.throw(/is gone/);
  });

  it('answers zero for no process at all', () => {
    expect(readCpu([], TICKS)).to.deep.equal({ user: 0, system: 0 });
  });
});
