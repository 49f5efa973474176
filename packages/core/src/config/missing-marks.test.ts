import { expect } from 'chai';
import { loadFiles, NAMED, type Files } from '../testing/load-files.js';

async function noticesOf(files: Files): Promise<readonly string[]> {
  const { notices, errors, said } = await loadFiles({ ...NAMED, ...files });
  expect(said(errors)).to.deep.equal([]);
  return said(notices);
}

describe('marks that no match group gives', () => {
  it('are told with the place of the rule that refers to them', async () => {
    const rule = '{ match: { refer: nosuch }, route: [{ weight: 1 }] }';
    const message = "the rule never matches: there is no match group 'nosuch' (servicecomb.match), and no template";
    expect(await noticesOf({ 'router.yaml': `servicecomb.routeRule.my.shop.svc:\n  - ${rule}\n` })).to.deep.equal([
      `router.yaml:2:23  servicecomb.routeRule.my.shop.svc[0].match.refer  ${message}`,
    ]);
    const text = `servicecomb.routeRule.world: |\n  - route: [{ weight: 1 }]\n  - ${rule}\n`;
    expect(await noticesOf({ 'router.yaml': text })).to.deep.equal([
      `router.yaml:3:23  servicecomb.routeRule.world[1].match.refer  ${message}`,
    ]);
  });

  for (const section of ['rateLimiting', 'retry', 'circuitBreaker', 'bulkhead', 'faultInjection']) {
    it(`are told with the place of the policy below servicecomb.${section}`, async () => {
      const said = (mark: string): string =>
        `applies to no call: there is no match group '${mark}' (servicecomb.match)`;
      const field =
        { rateLimiting: 'rate', retry: 'maxAttempts', circuitBreaker: 'forceOpen', bulkhead: 'maxConcurrentCalls' }[
          section
        ] ?? 'percentage';
      const value = section === 'circuitBreaker' ? 'false' : section === 'faultInjection' ? '0' : '5';
      const yaml = `servicecomb:\n  match.batch.matches: [{ method: GET }]\n  ${section}:\n    a: { match: nosuch }\n    vip.x: |\n      ${field}: ${value}\n    batch.${field}: ${value}\n    bach.${field}: ${value}\n`;
      expect(await noticesOf({ 'chassis.yaml': yaml })).to.deep.equal([
        `chassis.yaml:4:17  servicecomb.${section}.a  ${said('nosuch')}`,
        `chassis.yaml:6:${9 + field.length}  servicecomb.${section}.vip.x  ${said('vip.x')}`,
        `chassis.yaml:8:${12 + field.length}  servicecomb.${section}.bach  ${said('bach')}; did you mean 'batch'?`,
      ]);
    });
  }

  it('are none where a match group, or for rules a template, has the name', async () => {
    const files = {
      'chassis.yaml':
        'servicecomb:\n  match.vip.matches: [{ method: GET }]\n  sourceTemplate.web.source: web\n  rateLimiting: { vip: { rate: 5 }, all: { match: vip } }\n',
      'router.yaml':
        'servicecomb.routeRule.world:\n  - { match: { refer: vip }, route: [{ weight: 1 }] }\n  - { match: { refer: web }, route: [{ weight: 1 }] }\n',
    };
    expect(await noticesOf(files)).to.deep.equal([]);
  });

  it('are none for calls without a mark, in the policies that know those', async () => {
    const of = async (section: string): Promise<number> =>
      (await noticesOf({ 'chassis.yaml': `servicecomb.${section}.rest.match: none\n` })).length;
    expect(
      await Promise.all(['rateLimiting', 'faultInjection', 'retry', 'circuitBreaker', 'bulkhead'].map(of)),
    ).to.deep.equal([0, 0, 1, 1, 1]);
  });
});
