import { expect } from 'chai';
import type { KieSettings } from './settings.js';
import type { KieServer } from './testing/kie-server.js';
import { APP, SERVICE, SourceRig, VERSION, type SourceRigSettings } from './testing/source-rig.js';

/** Longest that a real server may hold back an answer here: short, because a long poll can miss a change that comes as it begins. */
const HELD_MS = 2_000;

/** What the source promises, whichever Kie it talks to. @param settings those that the server needs */
// One list of promises for two servers; a file outside of tests could not use chai.
// eslint-disable-next-line mocha/no-exports
export function itBehavesWith(start: () => Promise<KieServer>, settings: Partial<KieSettings> = {}): void {
  let kie: KieServer;
  let rigs: SourceRig[];
  beforeEach(async () => {
    kie = await start();
    rigs = [];
  });
  afterEach(async () => {
    for (const rig of rigs) await rig.close();
    await kie.close();
  });

  async function open(rigSettings: Partial<SourceRigSettings> = {}): Promise<SourceRig> {
    const rig = await SourceRig.open({
      addresses: [kie.url],
      refreshIntervalMs: HELD_MS,
      ...rigSettings,
      settings: { ...settings, ...rigSettings.settings },
    });
    rigs.push(rig);
    return rig;
  }

  for (const [way, wayOfAsking] of [
    ['a long poll', { watches: true }],
    ['questions at intervals', { watches: false, refreshIntervalMs: 200 }],
  ] as const) {
    it(`follows changes by ${way}: new, changed, disabled, enabled and removed values`, async () => {
      const rig = await open(wayOfAsking);
      expect(await rig.next()).to.deep.equal({});
      await kie.put(SERVICE, 'a', '1');
      expect(await rig.next()).to.deep.equal({ a: '1' });
      await kie.put(SERVICE, 'a', '2');
      expect(await rig.next()).to.deep.equal({ a: '2' });
      await kie.put(SERVICE, 'a', '2', 'disabled');
      expect(await rig.next()).to.deep.equal({});
      await kie.put(SERVICE, 'a', '3');
      expect(await rig.next()).to.deep.equal({ a: '3' });
      await kie.remove(SERVICE, 'a');
      expect(await rig.next()).to.deep.equal({});
    });
  }

  it('lets what the service says win over what the application says', async () => {
    await kie.put(APP, 'both', 'of the application');
    await kie.put(SERVICE, 'both', 'of the service');
    await kie.put(APP, 'one', 'of the application');
    const rig = await open();
    expect(await rig.next()).to.deep.equal({ both: 'of the service', one: 'of the application' });
    await kie.remove(SERVICE, 'both');
    expect(await rig.next()).to.deep.equal({ both: 'of the application', one: 'of the application' });
  });

  it('takes exact labels only: not those of others, and those of a version only when asked to', async () => {
    await kie.put({ app: 'shop' }, 'without-environment', 'x');
    await kie.put({ ...SERVICE, service: 'billing' }, 'of-another-service', 'x');
    await kie.put({ ...SERVICE, environment: 'production' }, 'of-another-environment', 'x');
    await kie.put(VERSION, 'of-the-version', 'x');
    await kie.put(SERVICE, 'own', 'x');
    expect(Object.keys(await (await open()).next())).to.deep.equal(['own']);
    const byVersion = await open({ settings: { byVersion: true } });
    expect(Object.keys(await byVersion.next())).to.have.members(['own', 'of-the-version']);
  });

  it('hands on texts of several lines as they are', async () => {
    const rules = '- precedence: 1\n  route:\n    - weight: 100\n      tags: { version: "1.0" } # ünïcode\n';
    await kie.put(SERVICE, 'servicecomb.routeRule.world', rules);
    expect(await (await open()).next()).to.deep.equal({ 'servicecomb.routeRule.world': rules });
  });

  it('says nothing when others change', async () => {
    const rig = await open();
    await rig.next();
    await kie.put({ app: 'other', environment: '' }, 'a', '1');
    await kie.put(SERVICE, 'own', '1');
    expect(await rig.next()).to.deep.equal({ own: '1' });
  });
}
