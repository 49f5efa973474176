import { expect } from 'chai';
import fc from 'fast-check';
import { loadFiles, NAMED, type Files } from '../testing/load-files.js';
import type { ConfigurationSources } from './load.js';
import { formatProblems } from './problem.js';

describe('the registry', () => {
  it('counts as configured as soon as any of its keys is set, in any spelling', async () => {
    for (const yaml of [
      'servicecomb.registry.scope: full',
      'cse.service.registry.address: x',
      'servicecomb.registry.registrator.type: file',
    ]) {
      expect((await loadFiles({ ...NAMED, 'chassis.yaml': yaml })).document?.registryConfigured, yaml).to.equal(true);
    }
    expect((await loadFiles(NAMED, { env: { PAAS_CSE_ENDPOINT: 'http://x' } })).document?.registryConfigured).to.equal(
      true,
    );
  });

  it('does not when only the project is known, or everything is empty', async () => {
    const { document } = await loadFiles(
      { ...NAMED, 'chassis.yaml': 'servicecomb:\n  registry:\n    address:\n' },
      { env: { CSE_PROJECT_ID: 'p' } },
    );
    expect(document?.registryConfigured).to.equal(false);
  });
});

describe('the effective configuration', () => {
  it('hides secrets, says where values come from and which have no effect', async () => {
    const { effective } = await loadFiles({
      ...NAMED,
      'auth.yaml':
        'cse.credentials.secretKey: hunter2\nservicecomb.credentials.account: {name: joe, password: hunter2}\n',
      'tls.yaml':
        'ssl:\n  registry.Consumer.caFile: ca.pem\n  orders.rest.Provider.certPwdFile: hunter2\n  orders.rest.Provider.certFile: a.crt\n',
      'chassis.yaml': 'servicecomb.registry.address: http://joe:hunter2@sc:30100\ncontrol.settings.apiToken: hunter2\n',
    });
    expect(JSON.stringify(effective)).to.not.contain('hunter2');
    const values = Object.fromEntries(effective.map(({ key, value, inEffect }) => [key, `${value} ${inEffect}`]));
    expect(values).to.include({
      'servicecomb.service.name': 'orders true',
      'servicecomb.credentials.secretKey': '*** false',
      'servicecomb.credentials.account.name': 'joe true',
      'ssl.orders.rest.Provider.certPwdFile': '*** false',
      'ssl.orders.rest.Provider.certFile': 'a.crt false',
      'ssl.registry.Consumer.caFile': 'ca.pem true',
      'servicecomb.registry.address[0]': 'http://***@sc:30100 true',
      'servicecomb.registry.register': 'auto true',
    });
    expect(effective.map(({ key }) => key)).to.deep.equal(effective.map(({ key }) => key).sort());
  });
});

describe('the hash of a document', () => {
  it('changes with a value, a secret too, and not with where it stands', async () => {
    const hash = async (files: Files, sources: Partial<ConfigurationSources> = {}) =>
      (await loadFiles({ ...NAMED, ...files }, sources)).document?.hash;
    const plain = await hash({});
    expect(plain).to.match(/^[0-9a-f]{64}$/);
    expect(await hash({ 'chassis.yaml': '# a comment\n' })).to.equal(plain);
    expect(await hash({ 'chassis.yaml': 'servicecomb.service.app: default' })).to.equal(plain);
    expect(await hash({ 'chassis.yaml': 'servicecomb.service.app: shop' })).to.not.equal(plain);
    expect(await hash({}, { env: { CAS_APPLICATION_NAME: 'shop' } })).to.equal(
      await hash({ 'mesher.yaml': 'servicecomb.service.app: shop' }),
    );
    const secret = (value: string) => hash({ 'auth.yaml': `servicecomb.credentials.secretKey: ${value}` });
    expect(await secret('a')).to.not.equal(await secret('b'));
  });

  it('does not depend on how keys are cut into dotted and nested parts', async () => {
    const leaves: readonly (readonly [readonly string[], string])[] = [
      [['servicecomb', 'service', 'properties', 'a', 'b'], '1'],
      [['servicecomb', 'protocols', 'rest-admin', 'listenAddress'], '127.0.0.1:1'],
      [['cse', 'flowcontrol', 'Consumer', 'qps', 'limit', 'orders', 'v1'], '5'],
      [['cse', 'loadbalance', 'orders', 'v1', 'strategy', 'name'], 'Random'],
      [['ssl', 'orders', 'rest', 'Provider', 'certFile'], 'x'],
      [['servicecomb', 'handler', 'chain', 'Provider', 'incoming'], 'a,b'],
    ];
    const dotted = leaves.map(([path, value]) => `${path.join('.')}: ${value}`).join('\n');
    const expected = (await loadFiles({ ...NAMED, 'chassis.yaml': dotted })).document?.hash;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }), { minLength: 6, maxLength: 6 }),
        async (cuts) => {
          // One file per value: nested maps of one file would need merging here.
          const files = Object.fromEntries(
            leaves.map(([path, value], index) => {
              const text = path.reduce((soFar, key, depth) => {
                const cut = depth > 0 && cuts[index]?.[depth - 1] === true;
                const lines = soFar.split('\n').length - 1;
                return depth === 0 ? key : cut ? `${soFar}:\n${' '.repeat(lines + 1)}${key}` : `${soFar}.${key}`;
              }, '');
              const file = ['chassis', 'tls', 'auth', 'tracing', 'lager', 'mesher'][index] ?? '';
              return [`${file}.yaml`, `${text}: ${value}`];
            }),
          );
          const { document, errors } = await loadFiles({ ...NAMED, ...files });
          expect(formatProblems(errors)).to.equal('');
          expect(document?.hash).to.equal(expected);
        },
      ),
      { numRuns: 25 },
    );
  });
});
