import { SERVICE_CENTER_BEHAVIOURS, type Needs } from '@mesher/registry-servicecenter/testing';
import { skipBecause } from '@mesher/core/testing';
import { useSharedScene } from '../support/scene.js';
import {
  GENERATION,
  requireServiceCenter,
  ServiceCenter,
  type ServiceCenterOptions,
} from '../support/service-center.js';

interface Variant {
  /** Continues "the service-center of tests and the real one". */
  readonly title: string;
  readonly options: ServiceCenterOptions;
  /** Whether a behaviour is checked with it. */
  readonly suits: (needs: Needs) => boolean;
}

/** Each behaviour with the smallest server that does. Leases of 20 s are awaited, and the rest is done in seconds. */
const VARIANTS: readonly Variant[] = [
  {
    title: 'as it comes',
    options: {},
    suits: ({ rootPassword, shortPings }) => rootPassword === undefined && shortPings !== true,
  },
  { title: 'with logins', options: { rbac: true }, suits: ({ rootPassword }) => rootPassword !== undefined },
  { title: 'with a ping every second', options: { shortPings: true }, suits: ({ shortPings }) => shortPings === true },
];

describe('the registry that the service-center of tests imitates', function () {
  this.timeout(90_000);

  for (const { title, options, suits } of VARIANTS) {
    describe(`${title}: it`, () => {
      before(function () {
        requireServiceCenter(this);
      });
      const server = useSharedScene((scene) => ServiceCenter.start(scene, options));

      for (const { title, needs = {}, check } of SERVICE_CENTER_BEHAVIOURS.filter(({ needs = {} }) => suits(needs))) {
        it(title, async function () {
          if (needs.generation === 2 && GENERATION === 1) skipBecause(this, 'service-center 1.x has no such thing');
          await check({ ...(await server().target()), generation: GENERATION });
        });
      }
    });
  }
});
