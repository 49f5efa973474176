import { expect } from 'chai';
import { Datagrams } from './datagrams.js';

describe('datagrams', () => {
  it('are as full as they may be, and no fuller', () => {
    const datagrams = new Datagrams(11);
    for (const line of ['aaaaa', 'bbbbb', 'c', 'ddddddddd', 'e']) datagrams.add(line);
    expect(datagrams.take()).to.deep.equal(['aaaaa\nbbbbb', 'c\nddddddddd', 'e']);
    expect(datagrams.take()).to.deep.equal([]);
  });

  it('count bytes, not characters, and send a line that is too long alone', () => {
    const datagrams = new Datagrams(4);
    for (const line of ['éé', 'é', 'a much too long line', 'b']) datagrams.add(line);
    expect(datagrams.take()).to.deep.equal(['éé', 'é', 'a much too long line', 'b']);
  });
});
