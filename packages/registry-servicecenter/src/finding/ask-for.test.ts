import { expect } from 'chai';
import type { FindItem, FindResult } from '../client/answers.js';
import { ServiceCenterError } from '../client/service-center-error.js';
import { askFor } from './ask-for.js';

const SIGNAL = new AbortController().signal;

/** Refuses every question that holds one of these names, as a whole. */
function centerWithout(...refused: readonly string[]): {
  asked: string[][];
  find(items: readonly FindItem[]): Promise<readonly FindResult[]>;
} {
  const asked: string[][] = [];
  const find = (items: readonly FindItem[]): Promise<readonly FindResult[]> => {
    asked.push(items.map(({ serviceName }) => serviceName));
    if (items.some(({ serviceName }) => refused.includes(serviceName))) {
      return Promise.reject(new ServiceCenterError('SC_REFUSED', 'Invalid parameter(s)', 400001));
    }
    return Promise.resolve(
      items.map(({ serviceName }) => ({ kind: 'updated', revision: serviceName, instances: [] }) as const),
    );
  };
  return { asked, find };
}

const item = (serviceName: string, appId = 'shop'): FindItem => ({
  ...{ serviceName, appId, environment: '', revision: undefined },
});

const kinds = (results: readonly FindResult[]): readonly unknown[] =>
  results.map((result) => (result.kind === 'failed' ? result.errorCode : result.kind));

describe('a question about several services', () => {
  it('leaves out names that nothing can be registered under, and says that they do not exist', async () => {
    const names = ['', '-', '_x', 'x_', 'a b', 'a$b', 'a/../b', '..', 'a:b:c', 'x'.repeat(129), 'ok'];
    const center = centerWithout();
    const results = await askFor(
      names.map((name) => item(name)),
      undefined,
      center,
      SIGNAL,
    );
    expect(center.asked).to.deep.equal([['ok']]);
    expect(kinds(results)).to.deep.equal([...names.slice(1).map(() => 400012), 'updated']);
    for (const result of results.slice(0, -1)) expect(result).to.have.property('detail').that.contains('provider');
  });

  it('is not asked when there is no name left, nor for an application that is none', async () => {
    const center = centerWithout();
    expect(kinds(await askFor([item('a b'), item('a', 'x y')], 'me', center, SIGNAL))).to.deep.equal([400012, 400012]);
    expect(center.asked).to.deep.equal([]);
  });

  it('that is refused as a whole is asked in halves, until the one to blame stands alone', async () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    const results = await askFor(
      names.map((name) => item(name)),
      undefined,
      centerWithout('c'),
      SIGNAL,
    );
    expect(kinds(results)).to.deep.equal(['updated', 'updated', 400001, 'updated', 'updated']);
    expect(results[4]).to.include({ revision: 'e' });
  });

  it('fails as a whole, after few questions, when it is not the names that are refused', async () => {
    const names = Array.from({ length: 100 }, (_, at) => `s${at}`);
    const center = centerWithout(...names);
    const error: unknown = await askFor(
      names.map((name) => item(name)),
      undefined,
      center,
      SIGNAL,
    ).catch((reason: unknown) => reason);
    expect(error).to.include({ errorCode: 400001 });
    expect(center.asked.length).to.be.lessThan(20);
  });

  it('fails as a whole for any other reason', async () => {
    const failure = new ServiceCenterError('SC_UNREACHABLE', 'no answer');
    const center = { find: () => Promise.reject(failure) };
    expect(await askFor([item('a')], undefined, center, SIGNAL).catch((error: unknown) => error)).to.equal(failure);
  });
});
