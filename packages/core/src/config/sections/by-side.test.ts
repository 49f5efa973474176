import { expect } from 'chai';
import { readSchema } from '../../testing/read-schema.js';
import { s } from '../schema/combinators.js';
import { bySide, sideValues } from './by-side.js';

const FIELDS = {
  limit: s.integer({ default: 10 }),
  statuses: s.list(s.string(), { commaSeparated: true, default: ['5xx'] }),
  adaptive: s.object(
    { enabled: s.boolean({ default: false }), min: s.integer({ default: 1 }), max: s.integer() },
    { check: ({ min, max }) => (max !== undefined && max < min ? 'max is less than min' : undefined) },
  ),
  name: s.string(),
};

const schema = s.object(bySide(FIELDS));

function valuesOf(yaml: string, service: string) {
  const { value, problems } = readSchema(schema, yaml);
  expect(problems).to.deep.equal([]);
  return sideValues(value.Consumer, service);
}

describe('properties by side and service', () => {
  it('have their defaults when nothing is set', () => {
    const defaults = {
      limit: 10,
      statuses: ['5xx'],
      adaptive: { enabled: false, min: 1, max: undefined },
      name: undefined,
    };
    expect(valuesOf('', 'world')).to.deep.equal(defaults);
  });

  it('are those of the side for what a service does not set, within groups, too', () => {
    const yaml =
      'Consumer:\n  limit: 20\n  adaptive: {enabled: true, min: 3}\n  world:\n    statuses: 503\n    adaptive: {min: 7}\n';
    const expected = {
      limit: 20,
      statuses: ['503'],
      adaptive: { enabled: true, min: 7, max: undefined },
      name: undefined,
    };
    expect(valuesOf(yaml, 'world')).to.deep.equal(expected);
    expect(valuesOf(yaml, 'other')).to.deep.include({
      limit: 20,
      statuses: ['5xx'],
      adaptive: { enabled: true, min: 3, max: undefined },
    });
  });

  it('may be set back to the default by a service', () => {
    const yaml =
      'Consumer:\n  limit: 20\n  adaptive: {enabled: true}\n  world: {limit: 10, adaptive: {enabled: false}}\n';
    expect(valuesOf(yaml, 'world')).to.deep.include({
      limit: 10,
      adaptive: { enabled: false, min: 1, max: undefined },
    });
  });

  it('are checked as groups for a service, too, as far as it sets them', () => {
    const wrong = 'Consumer:\n  world:\n    adaptive: {min: 7, max: 5}\n  other:\n    adaptive: {max: 0}\n';
    expect(readSchema(schema, wrong).problems).to.deep.equal([
      'a.yaml:3:5  Consumer.world.adaptive  max is less than min',
    ]);
  });

  it('take service names with dots, and keep the sides apart', () => {
    const { value } = readSchema(schema, 'Consumer:\n  orders.v1:\n    limit: 1\nProvider:\n  limit: 2\n');
    expect(sideValues(value.Consumer, 'orders.v1').limit).to.equal(1);
    expect(sideValues(value.Provider, 'orders.v1').limit).to.equal(2);
  });
});
