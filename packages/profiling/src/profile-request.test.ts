import { expect } from 'chai';
import { BadProfileRequest, kindOf, readProfileRequest } from './profile-request.js';

describe('requests for profiles', () => {
  const read = (text: string, max = 60_000): unknown => {
    const request = readProfileRequest('cpu', new URLSearchParams(text), max);
    return request instanceof BadProfileRequest ? request.message : request;
  };

  it('have the names that Go has', () => {
    expect(['profile', 'heap', 'allocs', 'goroutine', 'constructor'].map(kindOf)).to.deep.equal([
      ...['cpu', 'heap', 'allocs', undefined, undefined],
    ]);
  });

  it('take as long as in Go when they do not say, and no longer than is allowed', () => {
    expect(read('')).to.deep.equal({ kind: 'cpu', durationMs: 30_000, format: 'pprof' });
    expect(read('', 5_000)).to.include({ durationMs: 5_000 });
    expect(read('seconds=1.5&format=v8')).to.include({ durationMs: 1_500, format: 'v8' });
    const heap = readProfileRequest('heap', new URLSearchParams(), 60_000);
    expect(heap).to.include({ durationMs: 10_000 });
  });

  it('are refused when they make no sense', () => {
    for (const seconds of ['0', '-1', '61', 'NaN', 'Infinity', 'a', '', '%20', '1e9']) {
      expect(read(`seconds=${seconds}`), seconds).to.contain('is no duration up to 60 seconds');
    }
    expect(read('format=svg')).to.contain('format=svg is unknown');
  });
});
