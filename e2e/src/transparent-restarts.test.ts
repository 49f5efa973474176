import { expect } from 'chai';
import { eventually } from './support/eventually.js';
import { intercept, rulesOf } from './support/intercepted-calls.js';
import { requireNetworkNamespaces } from './support/network-namespaces.js';
import { RawConversation } from './support/raw-conversation.js';
import { ADDRESSES, FAMILIES, useTransparentScene, USUAL_WAY, type Way } from './support/transparent-scene.js';

const ECHO = 9000;
const REDIRECTS: readonly Way[] = [USUAL_WAY, { backend: 'nft', inbound: 'REDIRECT' }];

describe('a transparent sidecar that ends', () => {
  const scene = useTransparentScene();

  before(async () => {
    await scene().startApp('far');
  });

  afterEach(async () => {
    await scene().stopSidecars();
  });

  const begin = (address: string): RawConversation => RawConversation.begin(scene().near, address, ECHO);

  async function works(): Promise<void> {
    for (const family of FAMILIES) {
      const conversation = await RawConversation.start(scene().near, ADDRESSES.far[family], ECHO);
      conversation.say('end');
      expect(await conversation.events()).to.deep.equal(['connected', 'got hello', 'ended', 'closed']);
    }
  }

  for (const way of REDIRECTS) {
    it(`by force leaves rules that refuse connections until it is back, with ${way.backend}`, async function () {
      requireNetworkNamespaces(this, way.backend);
      const [near, far] = await scene().bothSidecars(way);
      const rules = await rulesOf(scene().near, way.backend);
      const open = await RawConversation.start(scene().near, ADDRESSES.far.ipv4, ECHO);
      await near.process.kill();
      await lost(open);
      for (const family of FAMILIES) {
        expect(await begin(ADDRESSES.far[family]).events()).to.deep.equal(['ECONNREFUSED', 'closed']);
      }
      expect(await rulesOf(scene().near, way.backend)).to.equal(rules);
      await restart('near', way);
      await works();
      expect(await rulesOf(scene().near, way.backend)).to.equal(rules);
      // The one at the called side: who calls learns it as a reset, from a sidecar that is there.
      await far.process.kill();
      for (const family of FAMILIES) {
        expect((await begin(ADDRESSES.far[family]).events()).slice(-2)).to.deep.equal(['ECONNRESET', 'closed']);
      }
      await restart('far', way);
      await works();
    });
  }

  it('is what verify tells nothing of: the rules hold without it', async () => {
    const near = await scene().sidecar('near');
    await near.process.kill();
    expect((await intercept(scene().near, ['verify'])).code).to.equal(0);
  });

  it('by SIGTERM lets open connections go on until they end', async () => {
    const [near, far] = await scene().bothSidecars();
    const open = await RawConversation.start(scene().near, ADDRESSES.far.ipv6, ECHO);
    for (const sidecar of [near, far]) {
      sidecar.process.signal('SIGTERM');
      await sidecar.process.untilPrinted(/"msg":"draining/);
    }
    await open.repeat('still here');
    open.say('end');
    expect((await open.events()).slice(-2)).to.deep.equal(['ended', 'closed']);
    for (const sidecar of [near, far]) {
      expect(await sidecar.process.exited).to.deep.equal({ code: 0, signal: null });
    }
    expect(await begin(ADDRESSES.far.ipv4).events()).to.deep.equal(['ECONNREFUSED', 'closed']);
  });

  it('by SIGTERM lets the application call others while it finishes what was asked of it, and takes nothing further from outside', async () => {
    await scene().startApp('near');
    const near = await scene().sidecar('near', USUAL_WAY, { mesher: { 'mesher.proxy.drainGrace': '3s' } });
    const asked = await RawConversation.start(scene().far, ADDRESSES.near.ipv4, ECHO);
    near.process.signal('SIGTERM');
    await near.process.untilPrinted(/"msg":"draining/);
    for (const family of FAMILIES) {
      await eventually('nothing is taken from outside', async () => {
        const events = await attempt(ADDRESSES.near[family]);
        return events.includes('ECONNRESET');
      });
    }
    await works();
    asked.say('end');
    expect((await asked.events()).slice(-2)).to.deep.equal(['ended', 'closed']);
    await works();
    expect(await near.process.exited).to.deep.equal({ code: 0, signal: null });
  });

  /** What a program elsewhere sees that calls and hangs up. */
  async function attempt(address: string): Promise<string[]> {
    const conversation = RawConversation.begin(scene().far, address, ECHO);
    conversation.say('end');
    return await conversation.events();
  }

  it('by SIGTERM gives them no longer than its drain timeout', async () => {
    const near = await scene().sidecar('near', USUAL_WAY, { env: { MESHER_DRAIN_TIMEOUT: '300ms' } });
    const open = await RawConversation.start(scene().near, ADDRESSES.far.ipv4, ECHO);
    near.process.signal('SIGTERM');
    await lost(open);
    expect((await near.process.exited).signal).to.equal(null);
    expect(near.process.output).to.include('drain timeout reached');
  });

  it('may be followed, not overlapped, by another: a second one does not start while the first runs, and takes nothing from it', async () => {
    const near = await scene().sidecar('near');
    const open = await RawConversation.start(scene().near, ADDRESSES.far.ipv4, ECHO);
    const refused = await restart('near', USUAL_WAY).catch((error: unknown) => String(error));
    expect(refused).to.match(/EADDRINUSE|in use by another process/);
    await open.repeat('still here');
    await works();
    near.process.signal('SIGTERM');
    open.say('end');
    expect((await near.process.exited).code).to.equal(0);
    await restart('near', USUAL_WAY);
    await works();
  });

  /** Waits until the client of a connection knows that the other side is gone. */
  async function lost({ client }: RawConversation): Promise<void> {
    await client.untilPrinted(/^(ended|ECONNRESET)$/m);
    await client.kill();
  }

  /** Starts the sidecar anew beside rules that are there. */
  async function restart(on: 'near' | 'far', way: Way): Promise<void> {
    scene().sidecars.delete(on);
    await scene().sidecar(on, way);
  }

  for (const backend of ['iptables-nft', 'iptables-legacy', 'nft'] as const) {
    it(`by force makes inbound connections that come by TPROXY wait for it, and none passes it, with ${backend}`, async function () {
      requireNetworkNamespaces(this, backend);
      const way: Way = { backend, inbound: 'TPROXY' };
      const far = await scene().sidecar('far', way);
      await far.process.kill();
      const waiting = FAMILIES.map((family) => begin(ADDRESSES.far[family]));
      await eventually('both wait for an answer', async () => {
        const unanswered = await scene().near.must('ss', ['-Htn', 'state', 'syn-sent']);
        return unanswered.trim().split('\n').length === waiting.length;
      });
      await restart('far', way);
      for (const conversation of waiting) {
        await conversation.repeat('hello');
        conversation.say('end');
        expect((await conversation.events()).at(-1)).to.equal('closed');
      }
      // Each was taken by the sidecar that is back; who had passed it would be missing.
      expect(await scene().sidecars.get('far')?.connections({ direction: 'inbound' })).to.equal(waiting.length);
      await works();
    });
  }
});
