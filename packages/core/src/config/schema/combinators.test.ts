import { expect } from 'chai';
import { readSchema } from '../../testing/read-schema.js';
import { s } from './combinators.js';

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
    const { value, problems } = readSchema(schema, '');
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
    const { value, problems } = readSchema(schema, "a: ''\nb:\nc: ''\nd: []\ne:\n");
    expect(problems).to.deep.equal([]);
    expect(value).to.deep.equal({ a: 'x', b: 1, c: ['d'], d: ['d'], e: undefined });
  });

  it('keeps the source text of scalars that are to be texts', () => {
    const { value } = readSchema(
      s.object({ version: s.string(), code: s.string(), flag: s.string() }),
      'version: 1.0\ncode: 007\nflag: yes',
    );
    expect(value).to.deep.equal({ version: '1.0', code: '007', flag: 'yes' });
  });

  it('converts quoted numbers and the booleans of Go', () => {
    const schema = s.object({ n: s.integer(), a: s.boolean(), b: s.boolean(), c: s.boolean() });
    expect(readSchema(schema, "n: '42'\na: yes\nb: 'off'\nc: 1").value).to.deep.equal({
      n: 42,
      a: true,
      b: false,
      c: true,
    });
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
    expect(readSchema(schema, yaml).problems).to.deep.equal([
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

  it('says what it found where another shape belongs', () => {
    const schema = s.object({
      single: s.integer(),
      both: s.integer(),
      list: s.list(s.string(), { required: true }),
      map: s.map(s.string()),
      group: s.object({ x: s.string() }),
    });
    const yaml = 'single: [1]\nboth: 1\nboth.more: 2\nlist: {a: 1}\nmap: text\ngroup: [x]';
    const { problems, notices } = readSchema(schema, yaml);
    expect(problems).to.deep.equal([
      'a.yaml:1:9  single  expects integer, found a list',
      'a.yaml:4:1  list  expects a list, found keys below it',
      'a.yaml:5:6  map  expects keys with values below it, found a value',
      'a.yaml:6:8  group  expects keys below it (x, …), found a value',
    ]);
    expect(notices).to.deep.equal(['a.yaml:3:1  both.more  unknown key, ignored']);
    expect(readSchema(schema, '').problems).to.deep.equal(['list  is required but not set (a list)']);
  });

  it('gives values of free shape as plain data', () => {
    const { value, effective } = readSchema(s.object({ any: s.free() }), 'any:\n  a.b: 1.0\n  c: [x, {d: y}]');
    expect(JSON.parse(JSON.stringify(value))).to.deep.equal({ any: { a: { b: '1.0' }, c: ['x', { d: 'y' }] } });
    expect(effective).to.deep.equal(['any.a.b=1.0', 'any.c[0]=x', 'any.c[1].d=y']);
  });

  it('asks for what is required', () => {
    const schema = s.object({ a: s.object({ b: s.string({ required: true, doc: 'B.' }), c: s.string() }) });
    expect(readSchema(schema, 'a:\n  c: x').problems).to.deep.equal([
      'a.yaml:1:1  a.b  is required but not set (string)',
    ]);
    expect(readSchema(schema, 'a:\n  b: x').problems).to.deep.equal([]);
  });

  it('judges a group as a whole only when its parts are right', () => {
    const schema = s.object(
      { min: s.integer({ default: 0 }), max: s.integer({ default: 10 }) },
      { check: ({ min, max }) => (min > max ? 'min must not be above max' : undefined) },
    );
    expect(readSchema(s.object({ range: schema }), 'range: {min: 20}').problems).to.deep.equal([
      'a.yaml:1:1  range  min must not be above max',
    ]);
    expect(readSchema(s.object({ range: schema }), 'range: {min: x}').problems).to.have.length(1);
  });

  it('reads lists as sequences, and as text with commas where that is allowed', () => {
    const schema = s.object({
      a: s.list(s.string(), { commaSeparated: true }),
      b: s.list(s.string(), { commaSeparated: true }),
      c: s.list(s.object({ port: s.integer({ required: true }) })),
    });
    const { value, effective } = readSchema(schema, 'a: x, y ,,z\nb: [x, y]\nc:\n- port: 1\n-\n- port: 2');
    expect(value).to.deep.equal({ a: ['x', 'y', 'z'], b: ['x', 'y'], c: [{ port: 1 }, { port: 2 }] });
    expect(effective).to.deep.equal(['a[0]=x', 'a[1]=y', 'a[2]=z', 'b[0]=x', 'b[1]=y', 'c[0].port=1', 'c[2].port=2']);
  });

  it('points at the very item of a list that is wrong', () => {
    const schema = s.object({ c: s.list(s.object({ port: s.integer({ required: true }) })) });
    expect(readSchema(schema, 'c:\n- port: 1\n- prot: 2\n').problems).to.deep.equal([
      'a.yaml:3:3  c[1].port  is required but not set (integer)',
    ]);
    expect(readSchema(schema, 'c:\n- port: 1\n- port: 2\n  prot: 2\n').notices).to.deep.equal([
      "a.yaml:4:3  c[1].prot  unknown key, ignored; did you mean 'c[1].port'?",
    ]);
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

describe('an empty text', () => {
  const schema = s.object({ usual: s.string({ default: 'd' }), kept: s.string({ keepsEmpty: true }) });

  it('counts as not set, unless it is asked to be kept', () => {
    expect(readSchema(schema, "usual: ''\nkept: ''").value).to.deep.equal({ usual: 'd', kept: '' });
    expect(readSchema(schema, 'usual: a').value).to.deep.equal({ usual: 'a', kept: undefined });
  });
});
