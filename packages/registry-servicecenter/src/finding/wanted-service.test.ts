import { expect } from 'chai';
import { WantedService } from './wanted-service.js';

const RULES = { healthCheck: false, emptyGraceMs: 60_000, healthCheckGraceMs: 60_000 };

const appsOf = (wanted: WantedService): readonly string[] => Array.from(wanted.parts, ({ app }) => app);

describe('a service that is looked for in several applications', () => {
  it('is no longer looked for where it was and is not any more, but in the own one', () => {
    const wanted = new WantedService('world', 'shop', RULES);
    wanted.lookIn(['a', 'b']);
    for (const part of wanted.parts) part.take([], part.app === 'b', 0);
    // Nobody says that it is in `a` any more, and there is nothing left of it; `b` may come back.
    wanted.lookIn([]);
    expect(appsOf(wanted)).to.deep.equal(['shop', 'b']);
    wanted.part('b')?.take([], false, 0);
    wanted.lookIn(['c']);
    expect(appsOf(wanted)).to.deep.equal(['shop', 'c']);
  });

  it('is looked for in one only when its name says which', () => {
    const wanted = new WantedService('other:world', 'shop', RULES);
    wanted.lookIn(['a']);
    expect([wanted.serviceName, appsOf(wanted)]).to.deep.equal(['world', ['other']]);
  });
});
