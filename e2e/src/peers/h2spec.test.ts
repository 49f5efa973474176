import { expect } from 'chai';
import { isBuilt, requireBuilt } from '../support/built-program.js';
import { eventually } from '../support/eventually.js';
import { listH2specCases, runH2spec, type H2specCase } from '../support/h2spec.js';
import { useSharedScene, type Scene } from '../support/scene.js';
import { H2cApp } from '../support/wire-apps.js';

/** Sections of h2spec: generic, http2 and hpack, the strict case included. Fewer would mean that they were not understood. */
const CASES = 146;

const titles = isBuilt('h2spec') ? await listH2specCases() : [];

/** Long enough for the cases that look at the flow control of an answer. */
const ANSWER = 'an answer of some length\n'.repeat(20);

/** Where h2spec is let loose: each listener that takes HTTP/2, and both kinds of applications behind one. */
const LISTENERS: Readonly<Record<string, (scene: Scene, app: H2cApp) => Promise<string>>> = {
  'the inbound listener of HTTP, with an application that speaks HTTP/1': async (scene) =>
    (await scene.service('world')).sidecar.inbound ?? '',
  'the inbound listener of gRPC, with an application that speaks HTTP/2': async (scene, { port }) =>
    (await scene.sidecar({ service: 'world', grpc: true, args: [`--service-ports=h2c:${port}`] })).grpcInbound,
  // It names what it dials as :authority, so that must be the name of the service.
  'the outbound listener, with the sidecar of a service behind it': async (scene) => {
    await scene.service('localhost');
    const caller = await scene.sidecar({ service: 'hello', host: 'none' });
    await eventually('the service answers', async () => (await caller.call('http://localhost/')).status === 200);
    return `localhost:${caller.port}`;
  },
};

for (const [where, start] of Object.entries(LISTENERS)) {
  describe(`h2spec at ${where}`, () => {
    let app: H2cApp;
    before(async function () {
      requireBuilt(this, 'h2spec');
      app = await H2cApp.start(ANSWER);
    });
    const results = useSharedScene<readonly H2specCase[]>(async (scene) =>
      isBuilt('h2spec') ? await runH2spec(await start(scene, app), scene.folder) : [],
    );
    after(async () => await app?.stop());

    it(`knows ${CASES} cases, and ran each`, () => {
      expect([titles.length, results().length]).to.deep.equal([CASES, CASES]);
    });

    for (const [index, title] of titles.entries()) {
      it(title, () => {
        const { title: ran, problem, skipped } = results()[index] as H2specCase;
        expect(title).to.include(ran);
        expect([problem, skipped]).to.deep.equal([undefined, false]);
      });
    }
  });
}
