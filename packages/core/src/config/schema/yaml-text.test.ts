import { expect } from 'chai';
import { readSchema } from '../../testing/read-schema.js';
import { s } from './combinators.js';

const policy = s.yaml(s.object({ maxAttempts: s.integer({ min: 1 }), statuses: s.list(s.integer()) }));
const rule = s.object({
  precedence: s.integer({ default: 0 }),
  tags: s.map(s.string(), { keyName: 'tag' }),
});
const schema = s.object({ retry: s.map(policy), rules: s.map(s.yaml(s.list(rule)), { keyName: 'service' }) });

describe('s.yaml', () => {
  it('reads a text that holds YAML like the same keys written out', () => {
    const text = readSchema(schema, 'retry:\n  mine: |\n    maxAttempts: 3\n    statuses: [502]\n');
    const keys = readSchema(schema, 'retry:\n  mine:\n    maxAttempts: 3\n    statuses: [502]\n');
    expect(text.problems).to.deep.equal([]);
    expect(text.value).to.deep.equal(keys.value);
    expect(text.effective).to.deep.equal(keys.effective);
    expect(text.value.retry.get('mine')).to.deep.equal({ maxAttempts: 3, statuses: [502] });
  });

  it('reads JSON, quoted and folded texts', () => {
    const yaml = `retry:\n  a: '{"maxAttempts": 2}'\n  b: "maxAttempts: 3\\nstatuses: [1]"\n  c: >-\n    {"maxAttempts":\n    4}\n`;
    const { value, problems } = readSchema(schema, yaml);
    expect(problems).to.deep.equal([]);
    expect([...value.retry.values()].map(({ maxAttempts }) => maxAttempts)).to.deep.equal([2, 3, 4]);
  });

  it('takes a list, a text with a list, and a single group for a list of one', () => {
    const yaml =
      'rules:\n  a:\n  - precedence: 1\n  b: |\n    - precedence: 2\n    - precedence: 3\n  c: |\n    precedence: 4\n  d: {precedence: 5}\n';
    const { value, problems } = readSchema(schema, yaml);
    expect(problems).to.deep.equal([]);
    const found = [...value.rules].map(([name, rules]) => [name, rules.map(({ precedence }) => precedence)]);
    expect(found).to.deep.equal([
      ['a', [1]],
      ['b', [2, 3]],
      ['c', [4]],
      ['d', [5]],
    ]);
  });

  it('keeps the dots in names, for texts as for groups', () => {
    const yaml =
      'retry:\n  orders.v1: |\n    maxAttempts: 1\n  orders.v2:\n    maxAttempts: 2\nrules.orders.v1: |\n  - precedence: 7\n  - tags: {a.b: c}\nrules.orders.v2:\n  - precedence: 1\n';
    const { value, problems, notices } = readSchema(schema, yaml);
    expect(problems).to.deep.equal([]);
    expect(notices).to.deep.equal([]);
    expect([...value.retry.keys()]).to.deep.equal(['orders.v1', 'orders.v2']);
    expect([...value.rules.keys()]).to.deep.equal(['orders.v1', 'orders.v2']);
    expect(value.rules.get('orders.v1')?.[1]?.tags.get('a.b')).to.equal('c');
  });

  it('points at the line and column in the file that holds the text', () => {
    const yaml =
      'retry:\n  mine: |\n    # a comment\n    maxAttempts: none\n    statuses:\n    - 502\n    - x\n  other: "{maxAttempts: 0}"\n';
    expect(readSchema(schema, yaml).problems).to.deep.equal([
      "a.yaml:4:18  retry.mine.maxAttempts  expects a whole number of at least 1, found 'none'",
      "a.yaml:7:7  retry.mine.statuses[1]  expects a whole number, found 'x'",
      "a.yaml:8:24  retry.other.maxAttempts  expects a whole number of at least 1, found '0'",
    ]);
  });

  it('names the nearest key for one that nobody knows', () => {
    const yaml =
      'retry:\n  mine: |\n    maxAtempts: 3\nrules:\n  a: |\n    - precedense: 1\n  b: {precedense: 1, tags: {x: "1"}}\n';
    expect(readSchema(schema, yaml).notices).to.deep.equal([
      "a.yaml:3:5  retry.mine.maxAtempts  unknown key, ignored; did you mean 'retry.mine.maxAttempts'?",
      "a.yaml:6:7  rules.a[0].precedense  unknown key, ignored; did you mean 'rules.a[0].precedence'?",
      "a.yaml:7:7  rules.b[0].precedense  unknown key, ignored; did you mean 'rules.b[0].precedence'?",
    ]);
  });

  it('reports texts that are no YAML, and texts of another shape', () => {
    expect(readSchema(schema, 'retry:\n  mine: |\n    a: b\n    c: [\n').problems.join()).to.match(
      /^a\.yaml:[45]:\d+ {2}retry\.mine {2}is not valid YAML/,
    );
    expect(readSchema(schema, 'retry:\n  mine: |\n    - 1\n').problems[0]).to.contain('expects keys below it');
    expect(readSchema(schema, 'rules:\n  mine: some words\n').problems[0]).to.contain('expects a list');
    expect(readSchema(schema, 'retry:\n  mine: |\n    maxAttempts: 1\n    maxAttempts: 2\n').problems[0]).to.contain(
      'is set twice',
    );
  });

  it('takes an empty text for an empty group or list', () => {
    const { value, problems } = readSchema(schema, 'retry:\n  mine: ""\nrules:\n  mine: ""\n');
    expect(problems).to.deep.equal([]);
    expect(value.retry.get('mine')).to.deep.equal({ maxAttempts: undefined, statuses: undefined });
    expect(value.rules.size).to.equal(0);
  });

  it('describes both forms', () => {
    expect(schema.referenceRows('').map(({ key, type }) => `${key}: ${type}`)).to.deep.equal([
      'retry.{name}: group, or a YAML text',
      'retry.{name}.maxAttempts: integer of at least 1',
      'retry.{name}.statuses: list of integer',
      'rules.{service}: list of group, or a YAML text',
      'rules.{service}[].precedence: integer',
      'rules.{service}[].tags.{tag}: string',
    ]);
    expect(JSON.stringify(policy.toJsonSchema())).to.contain('"anyOf"');
  });

  it('holds groups and lists of groups only', () => {
    expect(() => s.yaml(s.string())).to.throw(TypeError, 'group');
  });
});
