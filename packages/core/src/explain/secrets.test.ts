import { expect } from 'chai';
import { SecretMask } from './secrets.js';

describe('the mask of an explanation', () => {
  it('hides credentials in the request and wherever a stage repeats them, also in part', () => {
    const headers = {
      Authorization: 'Bearer abcdef',
      cookie: 'user=jason; sid=s3cr3t',
      'x-api-key': 'k-123456',
      'x-user': 'abcdef',
      'x-version': '2',
    };
    const mask = new SecretMask(headers);
    expect(mask.headers(headers)).to.deep.equal({
      Authorization: 'Bearer ***',
      cookie: 'user=***; sid=***',
      'x-api-key': '***',
      'x-user': '***',
      'x-version': '2',
    });
    const step = { decision: 'cookie user=jason; sid=s3cr3t matches', data: { tried: ['jason'], 'k-123456': 2 } };
    expect(mask.apply(step)).to.deep.equal({
      decision: 'cookie *** matches',
      data: { tried: ['***'], '***': 2 },
    });
  });

  it('shows no part of a secret that looks like a cookie, or like a scheme', () => {
    const headers = {
      authorization: 'c2VjcmV0==',
      'x-api-key': 'c2VjcmV0==',
      'x-password': 'correct horse',
      cookie: 'legacy-secret; sid=a=b',
    };
    expect(new SecretMask(headers).headers(headers)).to.deep.equal({
      authorization: '***',
      'x-api-key': '***',
      'x-password': '***',
      cookie: '***; sid=***',
    });
  });

  it('leaves everything as it is when the request has no credentials', () => {
    const steps = [{ decision: 'x-user is 1' }];
    expect(new SecretMask({ 'x-user': '1' }).apply(steps)).to.equal(steps);
  });
});
