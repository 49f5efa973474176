import { expect } from 'chai';
import { preferredType } from './content-negotiation.js';

describe('preferredType', () => {
  const cases: readonly (readonly [accept: string | undefined, chosen: string])[] = [
    [undefined, 'text/plain'],
    ['', 'text/plain'],
    ['*/*', 'text/plain'],
    ['application/json', 'application/json'],
    ['Application/JSON; charset=utf-8', 'application/json'],
    ['application/json, */*', 'text/plain'],
    ['application/json, */*;q=0.8', 'application/json'],
    ['text/plain;q=0.5, application/json;q=0.9', 'application/json'],
    ['text/*, application/json;q=0.9', 'text/plain'],
    ['application/*', 'application/json'],
    ['text/plain;q=0, */*', 'application/json'],
    ['image/png', 'text/plain'],
    ['application/json;q=nonsense', 'text/plain'],
    [',,;q=1, application/json', 'application/json'],
  ];
  for (const [accept, chosen] of cases) {
    it(`chooses ${chosen} for ${JSON.stringify(accept)}`, () => {
      expect(preferredType(accept, ['text/plain', 'application/json'])).to.equal(chosen);
    });
  }
});
