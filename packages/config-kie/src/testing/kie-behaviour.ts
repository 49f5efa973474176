import { deepEqual } from 'node:assert/strict';
import type { KieSettings } from '../settings.js';
import type { KieServer } from './kie-server.js';
import { APP, SERVICE, SourceRig, VERSION, type SourceRigSettings } from './source-rig.js';

/** One promise of the source, whichever Kie it talks to. */
export interface KieBehaviour {
  /** Continues "it". */
  readonly title: string;
  /** @throws AssertionError when the promise is not kept */
  check(kie: KieServer, open: (settings?: Partial<SourceRigSettings>) => Promise<SourceRig>): Promise<void>;
}

/**
 * Checks one behaviour with a server that was just started, and ends what it opened.
 * @param settings those that the server needs
 */
export async function checkBehaviour(
  behaviour: KieBehaviour,
  kie: KieServer,
  settings: Partial<KieSettings> = {},
): Promise<void> {
  const rigs: SourceRig[] = [];
  const open = async (rigSettings: Partial<SourceRigSettings> = {}): Promise<SourceRig> => {
    const rig = await SourceRig.open({
      addresses: [kie.url],
      refreshIntervalMs: HELD_MS,
      ...rigSettings,
      settings: { ...settings, ...rigSettings.settings },
    });
    rigs.push(rig);
    return rig;
  };
  try {
    await behaviour.check(kie, open);
  } finally {
    for (const rig of rigs) await rig.close();
  }
}

/** Longest that a real server may hold back an answer here: short, because a long poll can miss a change that comes as it begins. */
const HELD_MS = 2_000;

/** What the source promises. */
export const KIE_BEHAVIOURS: readonly KieBehaviour[] = [
  ...(
    [
      ['a long poll', { watches: true }],
      ['questions at intervals', { watches: false, refreshIntervalMs: 200 }],
    ] as const
  ).map(([way, wayOfAsking]): KieBehaviour => ({
    title: `follows changes by ${way}: new, changed, disabled, enabled and removed values`,
    async check(kie, open) {
      const rig = await open(wayOfAsking);
      deepEqual(await rig.next(), {});
      await kie.put(SERVICE, 'a', '1');
      deepEqual(await rig.next(), { a: '1' });
      await kie.put(SERVICE, 'a', '2');
      deepEqual(await rig.next(), { a: '2' });
      await kie.put(SERVICE, 'a', '2', 'disabled');
      deepEqual(await rig.next(), {});
      await kie.put(SERVICE, 'a', '3');
      deepEqual(await rig.next(), { a: '3' });
      await kie.remove(SERVICE, 'a');
      deepEqual(await rig.next(), {});
    },
  })),
  {
    title: 'lets what the service says win over what the application says',
    async check(kie, open) {
      await kie.put(APP, 'both', 'of the application');
      await kie.put(SERVICE, 'both', 'of the service');
      await kie.put(APP, 'one', 'of the application');
      const rig = await open();
      deepEqual(await rig.next(), { both: 'of the service', one: 'of the application' });
      await kie.remove(SERVICE, 'both');
      deepEqual(await rig.next(), { both: 'of the application', one: 'of the application' });
    },
  },
  {
    title: 'takes exact labels only: not those of others, and those of a version only when asked to',
    async check(kie, open) {
      await kie.put({ app: 'shop' }, 'without-environment', 'x');
      await kie.put({ ...SERVICE, service: 'billing' }, 'of-another-service', 'x');
      await kie.put({ ...SERVICE, environment: 'production' }, 'of-another-environment', 'x');
      await kie.put(VERSION, 'of-the-version', 'x');
      await kie.put(SERVICE, 'own', 'x');
      deepEqual(await (await open()).next(), { own: 'x' });
      const byVersion = await open({ settings: { byVersion: true } });
      deepEqual(await byVersion.next(), { own: 'x', 'of-the-version': 'x' });
    },
  },
  {
    title: 'hands on texts of several lines as they are',
    async check(kie, open) {
      const rules = '- precedence: 1\n  route:\n    - weight: 100\n      tags: { version: "1.0" } # ünïcode\n';
      await kie.put(SERVICE, 'servicecomb.routeRule.world', rules);
      deepEqual(await (await open()).next(), { 'servicecomb.routeRule.world': rules });
    },
  },
  {
    title: 'says nothing when others change',
    async check(kie, open) {
      const rig = await open();
      await rig.next();
      await kie.put({ app: 'other', environment: '' }, 'a', '1');
      await kie.put(SERVICE, 'own', '1');
      deepEqual(await rig.next(), { own: '1' });
    },
  },
];
