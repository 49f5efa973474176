import { expect } from 'chai';
import { formatOrigin, formatProblems, type Problem } from './problem.js';

function inFile(file: string, line: number, column: number, message: string): Problem {
  return { origin: { layer: 'file', file, line, column }, path: 'a.b', message };
}

describe('formatProblems', () => {
  it('orders by file, line and column, and puts what has no file last', () => {
    const problems: Problem[] = [
      { origin: { layer: 'environment', name: 'X' }, path: 'a.b', message: 'six' },
      inFile('b.yaml', 1, 1, 'five'),
      inFile('a.yaml', 10, 1, 'four'),
      inFile('a.yaml', 2, 7, 'three'),
      inFile('a.yaml', 2, 1, 'two'),
      { origin: { layer: 'file', file: 'a.yaml', line: 1, column: 1 }, path: '', message: 'one' },
    ];
    expect(formatProblems(problems).split('\n')).to.deep.equal([
      'a.yaml:1:1  one',
      'a.yaml:2:1  a.b  two',
      'a.yaml:2:7  a.b  three',
      'a.yaml:10:1  a.b  four',
      'b.yaml:1:1  a.b  five',
      'environment variable X  a.b  six',
    ]);
  });

  it('leaves out a place that is not known', () => {
    expect(formatProblems([{ origin: { layer: 'default' }, path: 'a', message: 'm' }])).to.equal('a  m');
    expect(formatOrigin({ layer: 'default' })).to.equal('default');
  });
});
