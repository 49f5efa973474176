import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { parseStat, parseStatus } from './proc-stat.js';

const STAT =
  '4242 (nginx) S 17 4242 4242 0 -1 4194560 1050 20 3 0 153 407 11 5 20 0 1 0 99 11902976 1934 18446744073709551615 1 1 0';

describe('parseStat', () => {
  it('reads pid, parent and the four CPU times in ticks', () => {
    expect(parseStat(STAT)).to.deep.equal({
      pid: 4242,
      parent: 17,
      zombie: false,
      userTicks: 153,
      systemTicks: 407,
      childUserTicks: 11,
      childSystemTicks: 5,
    });
  });

  it('is not led astray by spaces and parentheses in the name of the command', () => {
    const stat = parseStat(STAT.replace('(nginx)', '(a) b (9 9 9) c)'));
    expect(stat).to.include({ pid: 4242, parent: 17, userTicks: 153, systemTicks: 407 });
  });

  it('reads what this kernel says of this process', () => {
    const stat = parseStat(readFileSync('/proc/self/stat', 'latin1'));
    expect(stat.pid).to.equal(process.pid);
    expect(stat.parent).to.equal(process.ppid);
  });

  it('tells a process that has ended but is still listed', () => {
    expect(parseStat(STAT.replace(') S', ') Z')).zombie).to.equal(true);
  });

  it('throws on a line that is cut short', () => {
    expect(() => parseStat(STAT.slice(0, 40))).to.throw(/no utime/);
    expect(() => parseStat('')).to.throw(/not a line/);
  });
});

describe('parseStatus', () => {
  it('reads resident and anonymous memory in KiB', () => {
    const text = 'Name:\tnginx\nVmHWM:\t    9000 kB\nVmRSS:\t    7736 kB\nRssAnon:\t    1628 kB\nRssFile:\t 6108 kB\n';
    expect(parseStatus(text)).to.deep.equal({ resident: 7736, anonymous: 1628 });
  });

  it('throws for a zombie, which has no memory', () => {
    expect(() => parseStatus('Name:\tnginx\nState:\tZ (zombie)\n')).to.throw(/no VmRSS/);
  });
});
