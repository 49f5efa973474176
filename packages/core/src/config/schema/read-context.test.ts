import { expect } from 'chai';
import { readSchema } from '../../testing/read-schema.js';
import { s } from './combinators.js';

describe('what has no effect', () => {
  it('is checked, and said once per section', () => {
    const schema = s.object({
      a: s.object({ x: s.integer({ default: 5 }), y: s.integer() }, { notYet: 'later' }),
      b: s.integer({ notYet: 'later', section: 'logging' }),
      c: s.integer({ notYet: 'later', section: 'logging' }),
    });
    const { notices, problems, effective } = readSchema(schema, 'a:\n  y: 1\nb: 1\nc: wrong');
    expect(notices).to.deep.equal([
      'a.yaml:1:1  a  read, but not in effect in this version: later',
      'a.yaml:3:1  logging  read, but not in effect in this version: later',
    ]);
    expect(problems).to.deep.equal(["a.yaml:4:4  c  expects a whole number, found 'wrong'"]);
    expect(effective, 'defaults of such a section mean nothing').to.deep.equal(['a.y=1', 'b=1']);
  });

  it('cannot stop the start when nobody will ever read it', () => {
    const schema = s.object({ workers: s.integer({ obsolete: 'there are no workers' }) });
    const { notices, problems } = readSchema(schema, 'workers: many');
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
    const { problems, effective } = readSchema(
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
    const { problems } = readSchema(s.object({ n: s.integer() }), `n: ${'a'.repeat(500)}`);
    expect(problems[0]?.length).to.be.below(150);
  });
});
