import { expect } from 'chai';
import { readSchema } from '../../testing/read-schema.js';
import { s } from './combinators.js';
import type { Schema } from './schema.js';

/** A dotted name as keys below each other. */
function nested(name: string, text: string): string {
  const parts = name.split('.');
  return `${parts.join(': { ')}: ${text}${' }'.repeat(parts.length - 1)}`;
}

describe('maps', () => {
  it('keep dots in names, written as one key or as nested ones', () => {
    const schema = s.object({ limit: s.map(s.integer()) });
    const expected = new Map([
      ['orders', 1],
      ['orders.v1.sayHello', 2],
      ['a.b', 3],
    ]);
    expect(readSchema(schema, 'limit:\n  orders: 1\n  orders.v1.sayHello: 2\n  a: {b: 3}').value.limit).to.deep.equal(
      expected,
    );
    expect(readSchema(schema, 'limit.orders: 1\nlimit.orders.v1.sayHello: 2\nlimit.a.b: 3').value.limit).to.deep.equal(
      expected,
    );
  });

  it('end a name of a group where a known key begins', () => {
    const schema = s.object({ svc: s.map(s.object({ retry: s.boolean(), backoff: s.object({ ms: s.integer() }) })) });
    const yaml =
      'svc:\n  orders:\n    retry: true\n  orders.v1:\n    retry: false\n    backoff.ms: 5\n  x.y.z.backoff.ms: 7';
    const group = (retry: boolean | undefined, ms: number | undefined) => ({ retry, backoff: { ms } });
    expect(readSchema(schema, yaml).value.svc).to.deep.equal(
      new Map([
        ['orders', group(true, undefined)],
        ['orders.v1', group(false, 5)],
        ['x.y.z', group(undefined, 7)],
      ]),
    );
  });

  it('report unknown keys inside an entry', () => {
    const schema = s.object({ svc: s.map(s.object({ retry: s.boolean() })) });
    expect(readSchema(schema, 'svc:\n  orders:\n    rety: true').notices).to.deep.equal([
      "a.yaml:3:5  svc.orders.rety  unknown key, ignored; did you mean 'svc.orders.retry'?",
    ]);
  });

  it('hold names that objects already have', () => {
    const { value } = readSchema(
      s.object({ m: s.map(s.string()) }),
      'm:\n  __proto__: a\n  constructor: b\n  toString: c',
    );
    expect([...value.m]).to.deep.equal([
      ['__proto__', 'a'],
      ['constructor', 'b'],
      ['toString', 'c'],
    ]);
  });

  it('take the same names, however many dots they have, in every group that is written in a text or by keys', () => {
    const rule = s.object({
      match: s.object({ source: s.string() }),
      route: s.list(s.object({ weight: s.integer() })),
    });
    const forms = {
      text: [s.yaml(s.object({ rate: s.integer() })), ['"{ rate: 1 }"', '{ rate: 1 }', '"rate: 1"']],
      list: [
        s.yaml(s.list(rule)),
        ['"- route: [{ weight: 1 }]"', '[{ route: [{ weight: 1 }] }]', '{ route: [{ weight: 1 }] }'],
      ],
      group: [rule, ['{ route: [{ weight: 1 }] }']],
      value: [s.integer(), ['1']],
    } as const;
    const names = ['a', 'a.b', 'a.b.c', 'a.b.c.d', 'jobs.batch', 'edge.router.v1', 'www.example.com'];
    for (const [form, [each, texts]] of Object.entries(forms)) {
      const schema = s.object({ m: s.map(each as Schema<unknown>) });
      for (const [name, text] of names.flatMap((one) => texts.map((value) => [one, value] as const))) {
        for (const yaml of [`m.${name}: ${text}`, `m: { '${name}': ${text} }`, `m: { ${nested(name, text)} }`]) {
          const { value, problems, notices } = readSchema(schema, yaml);
          expect([[...value.m.keys()], problems, notices], `${form}: ${yaml}`).to.deep.equal([[name], [], []]);
        }
      }
    }
  });

  it('tell a key that was mistyped from a longer name by what stands there', () => {
    const edits = s.object({ set: s.map(s.string()) });
    const schema = s.object({
      m: s.map(s.yaml(s.list(s.object({ route: s.list(s.object({ tag: s.string() })), headers: edits })))),
    });
    const read = (below: string): readonly unknown[] => {
      const { value, problems, notices } = readSchema(schema, `m: { orders: { headers.set.a: b, ${below} } }`);
      return [[...value.m.keys()], problems, notices.map((notice) => notice.slice(notice.indexOf('m.')))];
    };
    for (const key of [
      'rout: [{ tag: x }]',
      'haeders: { set: { x: "a: b" } }',
      'docs: { home: "http://docs/" }',
      'owners: { all: [a, b] }',
    ]) {
      const path = `m.orders[0].${key.slice(0, key.indexOf(':'))}`;
      const [names, problems, notices] = read(key);
      expect([names, problems], key).to.deep.equal([['orders'], []]);
      expect(
        (notices as string[]).map((notice) => notice.split('  ')[0]),
        key,
      ).to.deep.equal([path]);
    }
  });

  it('check names where there is a rule for them', () => {
    const schema = s.object({
      m: s.map(s.string(), { checkKey: (key) => (key === 'bad' ? 'is a bad name' : undefined) }),
    });
    expect(readSchema(schema, 'm:\n  good: 1\n  bad: 2').problems).to.deep.equal(['a.yaml:3:3  m.bad  is a bad name']);
  });

  it('stand beside fixed keys in an open group', () => {
    const fields = () => ({ name: s.string(), rule: s.object({ limit: s.integer() }) });
    const schema = s.object({
      lb: s.openObject(fields(), { as: 'services', keyName: 'service', each: s.object(fields()) }),
    });
    const { value, notices } = readSchema(
      schema,
      'lb:\n  name: a\n  Server: {name: b}\n  my.svc.rule.limit: 3\n  oops: 1',
    );
    expect(value.lb.name).to.equal('a');
    expect([...value.lb.services.keys()]).to.deep.equal(['Server', 'my.svc']);
    expect(value.lb.services.get('my.svc')?.rule.limit).to.equal(3);
    expect(notices).to.deep.equal(['a.yaml:5:3  lb.oops  unknown key, ignored']);
  });

  it('may be single values beside fixed keys', () => {
    const schema = s.openObject({ uri: s.string() }, { as: 'more', keyName: 'setting', each: s.string() });
    const { value, notices } = readSchema(schema, 'uri: a\nuser: b\nx.y: c');
    expect(value.uri).to.equal('a');
    expect(Object.fromEntries(value.more)).to.deep.equal({ user: 'b', 'x.y': 'c' });
    expect(notices).to.deep.equal([]);
  });

  it('name the conflict when a key of an open group is taken for a free name', () => {
    const fields = () => ({ force: s.boolean(), rule: s.object({ limit: s.integer() }) });
    const schema = s.openObject(fields(), { as: 'services', keyName: 'service', each: s.object(fields()) });
    const message = `'force' is a key of this group, so a service of that name cannot have keys of its own here; found keys below it`;
    for (const yaml of ['force: { force: true }', 'force.v1.force: true']) {
      expect(readSchema(schema, yaml).problems, yaml).to.deep.equal([`a.yaml:1:1  force  ${message}`]);
    }
    const { value, problems } = readSchema(schema, 'force: true\nrule.limit: 1\nv1.force.force: true');
    expect([value.force, [...value.services.keys()]]).to.deep.equal([true, ['v1']]);
    expect(problems).to.deep.equal(['a.yaml:3:1  v1.force  expects boolean, found keys below it']);
  });
});
