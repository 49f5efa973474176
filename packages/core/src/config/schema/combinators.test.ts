import { expect } from 'chai';
import { formatProblems } from '../problem.js';
import { ConfigNode, insertEntry } from '../tree/config-node.js';
import { parseYaml } from '../yaml/parse-yaml.js';
import { s } from './combinators.js';
import { ReadContext } from './read-context.js';
import { knownKeys } from './reference.js';
import type { Schema } from './schema.js';

/** What a schema makes of a YAML text: the value, and problems and notices as the terminal shows them. */
function read<T>(schema: Schema<T>, yaml: string) {
  const tree = new ConfigNode({ layer: 'default' });
  const parsed = parseYaml(yaml, 'a.yaml');
  expect(formatProblems(parsed.problems)).to.equal('');
  for (const entry of parsed.entries) {
    insertEntry(tree, entry);
  }
  const context = new ReadContext(knownKeys(schema));
  const value = schema.read(tree, '', context);
  return {
    value,
    problems: formatProblems(context.problems).split('\n').filter(Boolean),
    notices: formatProblems(context.notices).split('\n').filter(Boolean),
    effective: context.effective.map(({ key, value: text }) => `${key}=${text}`),
  };
}

describe('a schema', () => {
  it('fills defaults, and gives undefined for fields without one', () => {
    const schema = s.object({
      app: s.string({ default: 'default' }),
      wait: s.duration({ default: '30s' }),
      size: s.bytes({ default: '64KB' }),
      on: s.boolean({ default: false }),
      count: s.integer({ default: 3 }),
      note: s.string(),
      tags: s.list(s.string()),
      names: s.map(s.string()),
      inner: s.object({ x: s.integer({ default: 1 }) }),
      maybe: s.object({ x: s.integer({ required: true }) }, { optional: true }),
    });
    const { value, problems } = read(schema, '');
    expect(problems).to.deep.equal([]);
    expect(value).to.deep.equal({
      app: 'default',
      wait: 30_000,
      size: 65_536,
      on: false,
      count: 3,
      note: undefined,
      tags: undefined,
      names: new Map(),
      inner: { x: 1 },
      maybe: undefined,
    });
  });

  it('takes null, empty texts and empty lists for not set', () => {
    const schema = s.object({
      a: s.string({ default: 'x' }),
      b: s.integer({ default: 1 }),
      c: s.list(s.string(), { default: ['d'], commaSeparated: true }),
      d: s.list(s.string(), { default: ['d'] }),
      e: s.object({ x: s.integer() }, { optional: true }),
    });
    const { value, problems } = read(schema, "a: ''\nb:\nc: ''\nd: []\ne:\n");
    expect(problems).to.deep.equal([]);
    expect(value).to.deep.equal({ a: 'x', b: 1, c: ['d'], d: ['d'], e: undefined });
  });

  it('keeps the source text of scalars that are to be texts', () => {
    const { value } = read(
      s.object({ version: s.string(), code: s.string(), flag: s.string() }),
      'version: 1.0\ncode: 007\nflag: yes',
    );
    expect(value).to.deep.equal({ version: '1.0', code: '007', flag: 'yes' });
  });

  it('converts quoted numbers and the booleans of Go', () => {
    const schema = s.object({ n: s.integer(), a: s.boolean(), b: s.boolean(), c: s.boolean() });
    expect(read(schema, "n: '42'\na: yes\nb: 'off'\nc: 1").value).to.deep.equal({ n: 42, a: true, b: false, c: true });
  });

  it('reports every wrong value at its place, with what would be right', () => {
    const schema = s.object({
      port: s.integer({ min: 1, max: 65_535 }),
      wait: s.duration({ min: '1s', max: '1m' }),
      long: s.duration({ max: '1m', bareUnit: 's' }),
      bare: s.duration(),
      size: s.bytes({ max: '1MB' }),
      on: s.boolean(),
      ratio: s.number({ min: 0, max: 1 }),
      mode: s.oneOf(['full', 'app']),
      at: s.address(),
      name: s.string({ pattern: /^[a-z]+$/, expectation: 'small letters' }),
      group: s.object({ x: s.string() }),
      list: s.list(s.string()),
      single: s.string(),
    });
    const yaml = [
      'port: 70000',
      'wait: 100ms',
      'long: 90',
      'bare: 30',
      'size: 2MB',
      'on: maybe',
      'ratio: 1.5',
      'mode: ful',
      'at: ::1:80',
      'name: ABC',
      'group: text',
      'list: text',
      'single: {a: 1}',
    ].join('\n');
    expect(read(schema, yaml).problems).to.deep.equal([
      "a.yaml:1:7  port  expects a whole number from 1 to 65535, found '70000'",
      "a.yaml:2:7  wait  expects a duration from 1s to 1m, found '100ms'",
      "a.yaml:3:7  long  expects a duration of at most 1m (this is 90s), found '90'",
      "a.yaml:4:7  bare  expects a duration with a unit, such as 30s, 500ms or 1m30s, found '30'",
      "a.yaml:5:7  size  expects a size of at most 1MB (this is 2MB), found '2MB'",
      "a.yaml:6:5  on  expects true or false, found 'maybe'",
      "a.yaml:7:8  ratio  expects a number from 0 to 1, found '1.5'",
      "a.yaml:8:7  mode  expects one of 'full', 'app' (did you mean 'full'?), found 'ful'",
      "a.yaml:9:5  at  expects an IPv6 host in brackets, such as [::1]:30101, found '::1:80'",
      "a.yaml:10:7  name  expects small letters, found 'ABC'",
      'a.yaml:11:8  group  expects keys below it (x, …), found a value',
      "a.yaml:12:7  list  expects a list: write one '- ' line per item",
      'a.yaml:13:1  single  expects string, found keys below it',
    ]);
  });

  it('asks for what is required', () => {
    const schema = s.object({ a: s.object({ b: s.string({ required: true, doc: 'B.' }), c: s.string() }) });
    expect(read(schema, 'a:\n  c: x').problems).to.deep.equal(['a.yaml:1:1  a.b  is required but not set (string)']);
    expect(read(schema, 'a:\n  b: x').problems).to.deep.equal([]);
  });

  it('judges a group as a whole only when its parts are right', () => {
    const schema = s.object(
      { min: s.integer({ default: 0 }), max: s.integer({ default: 10 }) },
      { check: ({ min, max }) => (min > max ? 'min must not be above max' : undefined) },
    );
    expect(read(s.object({ range: schema }), 'range: {min: 20}').problems).to.deep.equal([
      'a.yaml:1:1  range  min must not be above max',
    ]);
    expect(read(s.object({ range: schema }), 'range: {min: x}').problems).to.have.length(1);
  });

  it('reads lists as sequences, and as text with commas where that is allowed', () => {
    const schema = s.object({
      a: s.list(s.string(), { commaSeparated: true }),
      b: s.list(s.string(), { commaSeparated: true }),
      c: s.list(s.object({ port: s.integer({ required: true }) })),
    });
    const { value, effective } = read(schema, 'a: x, y ,,z\nb: [x, y]\nc:\n- port: 1\n-\n- port: 2');
    expect(value).to.deep.equal({ a: ['x', 'y', 'z'], b: ['x', 'y'], c: [{ port: 1 }, { port: 2 }] });
    expect(effective).to.deep.equal(['a[0]=x', 'a[1]=y', 'a[2]=z', 'b[0]=x', 'b[1]=y', 'c[0].port=1', 'c[2].port=2']);
  });

  it('points at the very item of a list that is wrong', () => {
    const schema = s.object({ c: s.list(s.object({ port: s.integer({ required: true }) })) });
    expect(read(schema, 'c:\n- port: 1\n- prot: 2\n').problems).to.deep.equal([
      'a.yaml:3:3  c[1].port  is required but not set (integer)',
    ]);
    expect(read(schema, 'c:\n- port: 1\n- port: 2\n  prot: 2\n').notices).to.deep.equal([
      "a.yaml:4:3  c[1].prot  unknown key, ignored; did you mean 'c[1].port'?",
    ]);
  });
});

describe('unknown keys', () => {
  const schema = s.object({
    servicecomb: s.object({
      registry: s.object({ address: s.string(), watch: s.boolean() }),
      service: s.object({ name: s.string() }),
    }),
  });

  it('are ignored with the nearest sibling named', () => {
    const { value, notices, problems } = read(schema, 'servicecomb:\n  registry:\n    adress: x\n    watch: true');
    expect(problems).to.deep.equal([]);
    expect(value.servicecomb.registry).to.deep.equal({ address: undefined, watch: true });
    expect(notices).to.deep.equal([
      "a.yaml:3:5  servicecomb.registry.adress  unknown key, ignored; did you mean 'servicecomb.registry.address'?",
    ]);
  });

  it('are found where they belong when they stand in the wrong place', () => {
    expect(read(schema, 'registry:\n  address: x').notices).to.deep.equal([
      "a.yaml:1:1  registry  unknown key, ignored; did you mean 'servicecomb.registry'?",
    ]);
    expect(read(schema, 'servicecomb:\n  name: x').notices).to.deep.equal([
      "a.yaml:2:3  servicecomb.name  unknown key, ignored; did you mean 'servicecomb.service.name'?",
    ]);
  });

  it('give one notice however much stands below them, and none when nothing is set there', () => {
    expect(read(schema, 'quota: {a: {b: 1, c: 2}}\nempty:\nhollow: {}').notices).to.deep.equal([
      'a.yaml:1:1  quota  unknown key, ignored',
    ]);
  });
});

describe('maps', () => {
  it('keep dots in names, written as one key or as nested ones', () => {
    const schema = s.object({ limit: s.map(s.integer()) });
    const expected = new Map([
      ['orders', 1],
      ['orders.v1.sayHello', 2],
      ['a.b', 3],
    ]);
    expect(read(schema, 'limit:\n  orders: 1\n  orders.v1.sayHello: 2\n  a: {b: 3}').value.limit).to.deep.equal(
      expected,
    );
    expect(read(schema, 'limit.orders: 1\nlimit.orders.v1.sayHello: 2\nlimit.a.b: 3').value.limit).to.deep.equal(
      expected,
    );
  });

  it('end a name of a group where a known key begins', () => {
    const schema = s.object({ svc: s.map(s.object({ retry: s.boolean(), backoff: s.object({ ms: s.integer() }) })) });
    const yaml =
      'svc:\n  orders:\n    retry: true\n  orders.v1:\n    retry: false\n    backoff.ms: 5\n  x.y.z.backoff.ms: 7';
    const group = (retry: boolean | undefined, ms: number | undefined) => ({ retry, backoff: { ms } });
    expect(read(schema, yaml).value.svc).to.deep.equal(
      new Map([
        ['orders', group(true, undefined)],
        ['orders.v1', group(false, 5)],
        ['x.y.z', group(undefined, 7)],
      ]),
    );
  });

  it('report unknown keys inside an entry', () => {
    const schema = s.object({ svc: s.map(s.object({ retry: s.boolean() })) });
    expect(read(schema, 'svc:\n  orders:\n    rety: true').notices).to.deep.equal([
      "a.yaml:3:5  svc.orders.rety  unknown key, ignored; did you mean 'svc.orders.retry'?",
    ]);
  });

  it('hold names that objects already have', () => {
    const { value } = read(s.object({ m: s.map(s.string()) }), 'm:\n  __proto__: a\n  constructor: b\n  toString: c');
    expect([...value.m]).to.deep.equal([
      ['__proto__', 'a'],
      ['constructor', 'b'],
      ['toString', 'c'],
    ]);
  });

  it('check names where there is a rule for them', () => {
    const schema = s.object({
      m: s.map(s.string(), { checkKey: (key) => (key === 'bad' ? 'is a bad name' : undefined) }),
    });
    expect(read(schema, 'm:\n  good: 1\n  bad: 2').problems).to.deep.equal(['a.yaml:3:3  m.bad  is a bad name']);
  });

  it('stand beside fixed keys in an open group', () => {
    const fields = () => ({ name: s.string(), rule: s.object({ limit: s.integer() }) });
    const schema = s.object({
      lb: s.openObject(fields(), { as: 'services', keyName: 'service', each: s.object(fields()) }),
    });
    const { value, notices } = read(schema, 'lb:\n  name: a\n  Server: {name: b}\n  my.svc.rule.limit: 3\n  oops: 1');
    expect(value.lb.name).to.equal('a');
    expect([...value.lb.services.keys()]).to.deep.equal(['Server', 'my.svc']);
    expect(value.lb.services.get('my.svc')?.rule.limit).to.equal(3);
    expect(notices).to.deep.equal(['a.yaml:5:3  lb.oops  unknown key, ignored']);
  });
});

describe('what has no effect', () => {
  it('is checked, and said once per section', () => {
    const schema = s.object({
      a: s.object({ x: s.integer({ default: 5 }), y: s.integer() }, { notYet: 'later' }),
      b: s.integer({ notYet: 'later', section: 'logging' }),
      c: s.integer({ notYet: 'later', section: 'logging' }),
    });
    const { notices, problems, effective } = read(schema, 'a:\n  y: 1\nb: 1\nc: wrong');
    expect(notices).to.deep.equal([
      'a.yaml:1:1  a  read, but not in effect in this version: later',
      'a.yaml:3:1  logging  read, but not in effect in this version: later',
    ]);
    expect(problems).to.deep.equal(["a.yaml:4:4  c  expects a whole number, found 'wrong'"]);
    expect(effective, 'defaults of such a section mean nothing').to.deep.equal(['a.y=1', 'b=1']);
  });

  it('cannot stop the start when nobody will ever read it', () => {
    const schema = s.object({ workers: s.integer({ obsolete: 'there are no workers' }) });
    const { notices, problems } = read(schema, 'workers: many');
    expect(problems).to.deep.equal([]);
    expect(notices).to.deep.equal(['a.yaml:1:1  workers  has no effect: there are no workers']);
  });
});

describe('secrets', () => {
  it('are shown neither as values nor in messages', () => {
    const schema = s.object({
      pin: s.integer({ secret: true }),
      user: s.object({ password: s.string({ pattern: /^x/ }), note: s.string() }),
      settings: s.free(),
    });
    const { problems, effective } = read(
      schema,
      "pin: hunter2\nuser:\n  password: hunter3\n  note: http://joe:hunter4@host/\nsettings:\n  apiToken: hunter5\n  uri: 'http://u:hunter6@h'",
    );
    expect(problems).to.deep.equal([
      'a.yaml:1:6  pin  expects a whole number, found a hidden value',
      'a.yaml:3:13  user.password  expects a text that matches /^x/, found a hidden value',
    ]);
    expect(effective).to.deep.equal([
      'user.note=http://***@host/',
      'settings.apiToken=***',
      'settings.uri=http://***@h',
    ]);
  });

  it('in a long or wrong text do not reach the terminal whole', () => {
    const { problems } = read(s.object({ n: s.integer() }), `n: ${'a'.repeat(500)}`);
    expect(problems[0]?.length).to.be.below(150);
  });
});

describe('mistakes of the program', () => {
  it('are found when the schema is made', () => {
    expect(() => s.duration({ default: '30' })).to.throw(TypeError, "default '30'");
    expect(() => s.integer({ default: 0, min: 1 })).to.throw(TypeError);
    expect(() => s.bytes({ max: 'much' })).to.throw(TypeError, 'limit');
    expect(() => s.list(s.object({}), { commaSeparated: true })).to.throw(TypeError);
  });
});
