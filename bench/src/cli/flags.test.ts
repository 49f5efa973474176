import { expect } from 'chai';
import { parseFlags } from './flags.js';

describe('parseFlags', () => {
  it('measures five rounds of everything unless told otherwise', () => {
    const flags = parseFlags([]);
    expect(flags).to.include({ rounds: 5, seconds: 2, idleConnections: 10_000, write: false });
    expect(flags.rows.length).to.be.greaterThan(10);
  });

  it('makes a smoke run of --quick, in which given numbers still hold', () => {
    expect(parseFlags(['--quick'])).to.include({ rounds: 1, seconds: 1, starts: 1, idleConnections: 1_000 });
    expect(parseFlags(['--quick', '--rounds', '3'])).to.include({ rounds: 3, seconds: 1 });
  });

  it('selects rows and candidates by the beginning of their ids', () => {
    const flags = parseFlags(['--rows', 'l4-down,l4-up', '--only', 'nginx, envoy']);
    expect(flags.rows.map(({ id }) => id)).to.deep.equal(['l4-down', 'l4-up']);
    expect(flags.only).to.deep.equal(['nginx', 'envoy']);
  });

  it('refuses what it does not know, and says what there is', () => {
    expect(() => parseFlags(['--rows', 'l9'])).to.throw(/no row begins with "l9".*l7-128-c4/);
    expect(() => parseFlags(['--rounds', '0'])).to.throw(/--rounds takes a whole number/);
    expect(() => parseFlags(['--seconds', '0.5'])).to.throw(/--seconds takes a whole number/);
    expect(() => parseFlags(['--load', 'ab'])).to.throw(/--load takes wrk or node/);
    expect(() => parseFlags(['--nope'])).to.throw(/--nope/);
  });

  it('reads a candidate with its layer and its command', () => {
    const { custom } = parseFlags(['--candidate', 'relay:l4=V=a,b node relay.js {port} {upstream}']);
    expect(custom).to.deep.equal([{ name: 'relay', layer: 'l4', command: 'V=a,b node relay.js {port} {upstream}' }]);
  });

  it('refuses a candidate whose command could not know its ports', () => {
    expect(() => parseFlags(['--candidate', 'x=node proxy.js 8080'])).to.throw(/for example/);
    expect(() => parseFlags(['--candidate', 'node {port} {upstream}'])).to.throw(/for example/);
  });
});
