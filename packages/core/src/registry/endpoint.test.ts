import { expect } from 'chai';
import { Endpoint } from './endpoint.js';

describe('an endpoint', () => {
  it('writes its address as a URL does, IPv6 in brackets', () => {
    expect(new Endpoint('10.0.0.1', 80).key).to.equal('10.0.0.1:80');
    expect(new Endpoint('world.example', 80).key).to.equal('world.example:80');
    expect(new Endpoint('2001:db8::1', 80).key).to.equal('[2001:db8::1]:80');
  });
});
