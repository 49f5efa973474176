import { expect } from 'chai';
import { readSchema } from '../../testing/read-schema.js';
import { s } from './combinators.js';

describe('unknown keys', () => {
  const schema = s.object({
    servicecomb: s.object({
      registry: s.object({ address: s.string(), watch: s.boolean() }),
      service: s.object({ name: s.string() }),
    }),
  });

  it('are ignored with the nearest sibling named', () => {
    const { value, notices, problems } = readSchema(
      schema,
      'servicecomb:\n  registry:\n    adress: x\n    watch: true',
    );
    expect(problems).to.deep.equal([]);
    expect(value.servicecomb.registry).to.deep.equal({ address: undefined, watch: true });
    expect(notices).to.deep.equal([
      "a.yaml:3:5  servicecomb.registry.adress  unknown key, ignored; did you mean 'servicecomb.registry.address'?",
    ]);
  });

  it('are found where they belong when they stand in the wrong place', () => {
    expect(readSchema(schema, 'registry:\n  address: x').notices).to.deep.equal([
      "a.yaml:1:1  registry  unknown key, ignored; did you mean 'servicecomb.registry'?",
    ]);
    expect(readSchema(schema, 'servicecomb:\n  name: x').notices).to.deep.equal([
      "a.yaml:2:3  servicecomb.name  unknown key, ignored; did you mean 'servicecomb.service.name'?",
    ]);
  });

  it('give one notice however much stands below them, and none when nothing is set there', () => {
    expect(readSchema(schema, 'quota: {a: {b: 1, c: 2}}\nempty:\nhollow: {}').notices).to.deep.equal([
      'a.yaml:1:1  quota  unknown key, ignored',
    ]);
  });
});
