import { expect } from 'chai';
import { formatProblems } from '../config/problem.js';
import { GivenDiscovery, readGivenInstances } from './given-instances.js';

const TEXT = `
world:
  - { address: 10.0.0.1:8080, version: 1.0.0, metadata: { zone: a }, weight: 2 }
  - { address: '[::1]:80', id: six, status: DOWN, app: shop, protocol: rest }
a.dotted.name:
  - address: 10.0.0.2:1
`;

describe('instances that are written down for a question', () => {
  it('are read by service, with the usual values for what is left out', async () => {
    const { instances, problems } = await readGivenInstances(TEXT, 'i.yaml');
    expect(problems).to.deep.equal([]);
    expect([...instances.keys()]).to.have.members(['world', 'a.dotted.name']);
    const [first, second] = instances.get('world') ?? [];
    expect(first).to.deep.include({
      instanceId: '10.0.0.1:8080',
      version: '1.0.0',
      app: 'default',
      status: 'UP',
      weight: 2,
      metadata: { zone: 'a' },
    });
    expect(first?.addresses.get('*')).to.deep.equal({ host: '10.0.0.1', port: 8080, tls: false });
    expect(second).to.include({ instanceId: 'six', status: 'DOWN', app: 'shop', version: '0.0.1' });
    expect(second?.addresses.get('rest')?.host).to.equal('::1');
  });

  it('are refused as a whole with every mistake, and unknown keys are mistakes', async () => {
    const { instances, problems } = await readGivenInstances(
      'world: [{ adress: 10.0.0.1:1 }, { address: x }]',
      'i.yaml',
    );
    const text = formatProblems(problems);
    expect(instances.size).to.equal(0);
    expect(text)
      .to.match(/i\.yaml:1:\d+ .*adress/)
      .and.to.match(/address/);
  });

  it('are found, listed and never change; other services do not exist', async () => {
    const { instances } = await readGivenInstances(TEXT, 'i.yaml');
    const discovery = new GivenDiscovery('given', instances, 7);
    const end = new AbortController();
    const seen: string[] = [];
    for await (const { service, exists, instances: list } of discovery.watch({ service: 'world' }, end.signal)) {
      seen.push(`${service} ${exists} ${list.length}`);
      end.abort();
    }
    for await (const { exists } of discovery.watch({ service: 'nobody' }, end.signal)) seen.push(String(exists));
    for await (const all of discovery.watchAll(end.signal)) seen.push(String(all.length));
    expect(seen).to.deep.equal(['world true 2', 'false', '3']);
    expect(discovery.state().lastSuccessAt).to.equal(7);
  });
});
