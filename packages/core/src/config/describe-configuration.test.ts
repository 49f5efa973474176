import { expect } from 'chai';
import { composeSections } from './compose-sections.js';
import { configurationJsonSchema, renderConfigurationReference } from './describe-configuration.js';
import { LEGACY_KEYS } from './legacy-keys.js';
import { readSchema } from '../testing/read-schema.js';
import { s } from './schema/combinators.js';
import { CORE_SECTIONS } from './sections/index.js';

/** The subschema of a dotted key. */
function at(schema: unknown, key: string): Record<string, unknown> {
  return key
    .split('.')
    .reduce<Record<string, unknown>>(
      (group, name) => (group['properties'] as Record<string, Record<string, unknown>>)[name] ?? {},
      schema as Record<string, unknown>,
    );
}

type Node = Record<string, unknown>;

/** What stands at a JSON Pointer. */
function resolve(schema: unknown, pointer: string): Node | undefined {
  return pointer
    .slice(2)
    .split('/')
    .reduce<unknown>((node, part) => (node as Node | undefined)?.[part], schema) as Node | undefined;
}

/** What stands at a key, references followed on the way there; `*` is any name. */
function walk(schema: unknown, key: string): Node | undefined {
  let node = schema as Node | undefined;
  for (const part of key.split('.')) {
    if (typeof node?.['$ref'] === 'string') node = resolve(schema, node['$ref']);
    const named = (node?.['properties'] as Record<string, Node> | undefined)?.[part];
    const any = node?.['additionalProperties'];
    node = named ?? (typeof any === 'object' && any !== null ? (any as Node) : undefined);
  }
  return node;
}

describe('the JSON Schema', () => {
  const schema = configurationJsonSchema({
    'mesher.proxy': s.object({ maxHeadBytes: s.bytes({ default: '64KB', doc: 'Largest head.' }) }),
  });

  it('says which draft it is, and is plain JSON', () => {
    expect(schema['$schema']).to.equal('https://json-schema.org/draft/2020-12/schema');
    expect(JSON.parse(JSON.stringify(schema))).to.deep.equal(schema);
  });

  it('describes types, defaults, limits and texts, of packages too', () => {
    expect(at(schema, 'mesher.proxy.maxHeadBytes')).to.deep.equal({
      description: 'Largest head.',
      default: '64KB',
      type: ['integer', 'string', 'null'],
      pattern: '^\\s*(\\d+(\\.0+)?\\s*[bB]?|\\d+(\\.\\d+)?\\s*[kKmMgG]([iI]?[bB])?)?\\s*$|\\$\\{',
    });
    expect(at(schema, 'admin.allowRemote')['default']).to.equal(false);
    expect(at(schema, 'cse.isolation.Consumer.timeoutInMilliseconds')).to.include({ minimum: 0 });
    expect(at(schema, 'servicecomb.credentials.secretKey')).to.include({ writeOnly: true });
    expect(at(schema, 'admin.goRuntimeMetrics')).to.include({ deprecated: true });
    expect(at(schema, 'servicecomb.registry.scope')['anyOf']).to.deep.include({ enum: ['full', 'app', null] });
  });

  it('takes texts for numbers, switches, times and sizes exactly when a start does, and placeholders', () => {
    const kinds = {
      n: s.integer({}),
      d: s.number({}),
      b: s.boolean({}),
      t: s.duration({ bareUnit: 'ms' }),
      z: s.bytes({}),
    };
    const texts = [
      '',
      '7',
      ' 7 ',
      '-3',
      '1.5',
      '.5',
      '1e3',
      'many',
      'Yes',
      'OFF',
      'maybe',
      '1m30s',
      '30 s',
      '5x',
      '64KB',
      '2gib',
      '1Q',
    ];
    for (const [kind, schema] of Object.entries(kinds)) {
      const pattern = new RegExp(String(schema.toJsonSchema()['pattern']), 'u');
      expect(pattern.test('${LIMIT||7}')).to.equal(true);
      for (const text of texts) {
        const { problems } = readSchema(s.object({ key: schema }), `key: '${text}'`);
        expect([kind, text, pattern.test(text)]).to.deep.equal([kind, text, problems.length === 0]);
      }
    }
  });

  it('knows every old spelling that a start takes, as deprecated', () => {
    const reached = new Map(LEGACY_KEYS.map(({ old }) => [old, walk(schema, old)]));
    expect([...reached].filter(([, place]) => place === undefined).map(([old]) => old)).to.deep.equal([
      // The settings of a registry by role are anything that its plugin takes.
      'servicecomb.registry.*.refeshInterval',
    ]);
    expect(reached.get('cse.service.registry')).to.deep.equal({
      description: 'Old name of servicecomb.registry.',
      deprecated: true,
      $ref: '#/properties/servicecomb/properties/registry',
    });
    expect(reached.get('cse.loadbalance.*.backoff.MinMs')).to.include({ deprecated: true });
    expect(reached.get('plugin.destinationResolver')).to.deep.include({ type: ['object', 'string', 'null'] });
    // References lead somewhere.
    for (const place of reached.values()) {
      if (typeof place?.['$ref'] === 'string') expect(resolve(schema, place['$ref'])).to.be.an('object');
    }
  });

  it('allows dotted keys and refuses unknown ones', () => {
    expect(at(schema, 'admin')).to.deep.include({ additionalProperties: false, patternProperties: { '\\.': true } });
    expect(at(schema, 'servicecomb.protocols')['additionalProperties']).to.be.an('object');
  });
});

describe('the reference page', () => {
  const page = renderConfigurationReference();

  it('has a row for each key, with type, default and reason', () => {
    expect(page).to.contain('| `servicecomb.registry.refreshInterval` | duration of at least 1s | `30s` | ');
    expect(page).to.contain(
      '| `servicecomb.protocols.{protocol}.listenAddress` | host:port |  | Address to listen on. |',
    );
    expect(page).to.contain('| `mesher.listeners[].listen` | host:port | required | ');
    expect(page).to.contain('| full \\| app | `app` |');
  });

  it('keeps apart what is in effect, what is not yet, and what never will be', () => {
    const [inEffect, later, never] = page.split(/^## .+$/m).slice(1);
    expect(inEffect).to.contain('`cse.loadbalance.{service}.retryOnNext`').and.not.contain('`servicecomb.cipher');
    expect(inEffect).to.contain('`ssl.registry.Consumer.caFile`');
    expect(later).to.contain('`servicecomb.credentials.secretKey`').and.contain('`ssl.{tag}.caFile`');
    expect(never).to.contain('`admin.goRuntimeMetrics`');
  });

  it('explains every key that core declares', () => {
    const silent = composeSections(CORE_SECTIONS)
      .referenceRows('')
      .filter(({ notes }) => notes.doc === undefined)
      .map(({ key }) => key);
    expect(silent).to.deep.equal([]);
  });
});
