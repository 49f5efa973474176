import { expect } from 'chai';
import { formatProblems } from '../problem.js';
import { toPlain, type ConfigEntry, type Leaf } from '../tree/config-node.js';
import { YAML_LIMITS } from './limits.js';
import { parseYaml } from './parse-yaml.js';

function show(leaf: Leaf): unknown {
  return leaf.kind === 'list' ? leaf.items.map(toPlain) : leaf.text;
}

function flat(text: string): Record<string, unknown> {
  const { entries, problems } = parseYaml(text, 'f.yaml');
  expect(formatProblems(problems)).to.equal('');
  return Object.fromEntries(entries.map(({ path, leaf }) => [path.join('.'), show(leaf)]));
}

function problems(text: string, limits = YAML_LIMITS): string {
  return formatProblems(parseYaml(text, 'f.yaml', limits).problems);
}

function position({ leaf, keyOrigins }: ConfigEntry): string[] {
  return [...keyOrigins, leaf.origin].map((origin) =>
    origin.layer === 'file' ? `${origin.line}:${origin.column}` : '',
  );
}

describe('parseYaml', () => {
  it('takes maps apart at every level and every dot', () => {
    expect(flat('a:\n  b.c: 1\n  d:\n    e: x\nf.g: [1, 2]')).to.deep.equal({
      'a.b.c': '1',
      'a.d.e': 'x',
      'f.g': ['1', '2'],
    });
  });

  it('knows where each key and each value stands', () => {
    const { entries } = parseYaml('---\na:\n  b.c: 1\n  d:   |\n    text\n', 'f.yaml');
    expect(entries.map(position)).to.deep.equal([
      ['2:1', '3:3', '3:3', '3:8'],
      ['2:1', '4:3', '4:8'],
    ]);
  });

  it('takes null for not set, and keeps the source text of scalars', () => {
    expect(flat('a:\nb: ~\nc: null\nd: ""\ne: 1.0\nf: 0x10\ng: true\nh: {}')).to.deep.equal({
      d: '',
      e: '1.0',
      f: '0x10',
      g: 'true',
    });
  });

  it('reads keys that are numbers by their text', () => {
    expect(flat('1.0: a\n8080: b')).to.deep.equal({ '1.0': 'a', '8080': 'b' });
  });

  it('keeps maps inside lists', () => {
    expect(flat('l:\n- a.b: 1\n  c: {d: x}\n- [y]\n-\n')).to.deep.equal({
      l: [{ a: { b: '1' }, c: { d: 'x' } }, ['y'], {}],
    });
  });

  it('accepts files without content, with comments only, and with a byte order mark', () => {
    expect(flat('')).to.deep.equal({});
    expect(flat('# nothing\n---\n')).to.deep.equal({});
    expect(flat('\uFEFFa: 1')).to.deep.equal({ a: '1' });
  });

  it('resolves aliases and merge keys, own keys first', () => {
    const text = 'base: &b {x: 1, y: 2}\none: *b\ntwo:\n  <<: *b\n  y: 3\nthree:\n  <<: [*b, {z: 4}]\n';
    expect(flat(text)).to.deep.equal({
      'base.x': '1',
      'base.y': '2',
      'one.x': '1',
      'one.y': '2',
      'two.x': '1',
      'two.y': '3',
      'three.x': '1',
      'three.y': '2',
      'three.z': '4',
    });
  });

  it('refuses duplicate keys and names the line', () => {
    expect(problems('a: 1\nb: 2\na: 3\n')).to.equal(
      'f.yaml:3:1  a  is set twice in this group, first in line 1; keep one of them',
    );
  });

  it('reports syntax errors with their place', () => {
    expect(problems('a: [1, 2\nb: 3')).to.match(/^f\.yaml:2:\d+ {2}is not valid YAML: /);
    expect(problems('a:\n\tb: 1')).to.match(/^f\.yaml:2:1 {2}tabs are not allowed/);
    expect(problems('a: *nobody')).to.match(/^f\.yaml:1:4 {2}nothing above is marked '&nobody'/);
  });

  it('refuses a file that is no map', () => {
    expect(problems('- a\n- b')).to.equal("f.yaml:1:1  expects 'key: value' lines at the top level");
    expect(problems('hello')).to.equal("f.yaml:1:1  expects 'key: value' lines at the top level");
  });

  it('refuses keys with empty parts and keys that are no text', () => {
    expect(problems('a..b: 1')).to.contain('f.yaml:1:1  a..b  a key must not be empty');
    expect(problems('[a]: 1')).to.contain('a key must be a plain text');
  });

  it('reads the first of several documents and says so', () => {
    const { entries, notices } = parseYaml('a: 1\n---\nb: 2\n', 'f.yaml');
    expect(entries.map(({ path }) => path.join('.'))).to.deep.equal(['a']);
    expect(notices.map(({ message }) => message)).to.deep.equal(['only the first YAML document of a file is read']);
  });

  it('does not construct anything for tags it does not know', () => {
    const { entries, notices } = parseYaml('a: !!js/function "x"', 'f.yaml');
    expect(entries.map(({ leaf }) => show(leaf))).to.deep.equal(['x']);
    expect(notices).to.have.length(1);
  });

  it('stops at bounds: values, depth, parts of a key, aliases', () => {
    const limits = { maxNodes: 20, maxDepth: 5, maxAliasCount: 3 };
    expect(problems(Array.from({ length: 30 }, (_, i) => `k${i}: 1`).join('\n'), limits)).to.contain(
      'more than 20 values',
    );
    expect(problems('a: {b: {c: {d: {e: {f: 1}}}}}', limits)).to.contain('more than 5');
    expect(problems('a.b.c.d.e.f: 1', limits)).to.contain('keys of more than 5 parts');
    expect(problems('a: &x 1\nb: [*x, *x, *x, *x]', limits)).to.contain('more than 3 aliases');
  });

  it('survives aliases that multiply or point at themselves, and absurd nesting', () => {
    const doubling = [
      'a0: &a0 [x, x]',
      ...Array.from({ length: 30 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]`),
    ];
    expect(problems(doubling.join('\n'))).to.match(/aliases|values/);
    expect(problems('a: &a {b: *a}')).to.match(/aliases|deep|parts/);
    for (const deep of [
      'a: ' + '['.repeat(500_000),
      '- '.repeat(250_000),
      '? '.repeat(250_000),
      `${' '.repeat(2000)}a: 1`,
    ]) {
      expect(problems(deep)).to.equal('f.yaml:1:1  is nested more than 64 levels deep');
    }
    const steps = Array.from({ length: 500 }, (_, level) => `${' '.repeat(level)}a:`).join('\n');
    expect(problems(`${steps} 1`)).to.contain('more than 64');
    expect(problems(`${'a.'.repeat(200)}a: 1`)).to.contain('keys of more than 64 parts');
  });

  it('does not take brackets in texts for nesting', () => {
    const text = `a: |\n  ${'['.repeat(200)}\nb: '${'{'.repeat(200)}'\nc: x${'-'.repeat(200)}\n# ${'['.repeat(200)}\nd:\n${'- x\n'.repeat(200)}`;
    expect(problems(text)).to.equal('');
  });
});
