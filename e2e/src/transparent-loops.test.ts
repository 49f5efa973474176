import { expect } from 'chai';
import { APPLICATION, TRANSPARENT_PORT } from './support/intercepted-calls.js';
import { ADDRESSES, FAMILIES, inUrl, useTransparentScene, WAYS } from './support/transparent-scene.js';
import { talk, type TransparentSidecar } from './support/transparent-sidecar.js';
import { requireNetworkNamespaces } from './support/network-namespaces.js';

const REQUEST = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
/** What a client gets that has called the listener: nothing, or the reason. */
const TURNED_AWAY = /^(ECONNRESET|HTTP\/1.1 404 [^]*no rule has brought this one)/;

/** Connections that one call may make before the loop is known for one; without an end it was ten thousand. */
const MOST_DIALS = 16;

describe('a loop of a transparent sidecar', () => {
  const scene = useTransparentScene('curl');
  let near: TransparentSidecar, far: TransparentSidecar;

  before(async () => {
    await scene().startApp('far');
  });

  afterEach(async () => {
    await scene().stopSidecars();
  });

  async function turnedAway(sidecar: TransparentSidecar): Promise<number> {
    return (await sidecar.connections({ verdict: 'loop' })) + (await sidecar.connections({ verdict: 'direct' }));
  }

  for (const way of WAYS) {
    it(`is not made by who calls its port, from wherever, with ${way.backend} and ${way.inbound}`, async function () {
      requireNetworkNamespaces(this, way.backend);
      [near, far] = await scene().bothSidecars(way);
      for (const family of FAMILIES) {
        const own = ADDRESSES.near[family];
        const loopback = family === 'ipv6' ? '::1' : '127.0.0.1';
        for (const [from, address] of [
          [scene().near, loopback],
          [scene().near, own],
          // Through the other host's sidecar.
          [scene().far, own],
        ] as const) {
          expect(await talk(from, address, TRANSPARENT_PORT, REQUEST), address).to.match(TURNED_AWAY);
        }
      }
      expect(await turnedAway(near)).to.equal(6);
      expect(await near.metric('mesher_upstream_connects_total'), 'passed on to nobody').to.equal(0);
      expect(await turnedAway(far)).to.equal(0);
      expect(await far.metric('mesher_upstream_connects_total'), 'one each').to.equal(2);
    });
  }

  it('that its own rules make, since it runs as the wrong user, ends at once, is counted and is told', async () => {
    near = await scene().sidecar('near', undefined, { as: APPLICATION });
    for (const [index, family] of FAMILIES.entries()) {
      const { code } = await scene().attempt('curl', '-sS', `http://${inUrl(ADDRESSES.far[family])}:8080/`);
      // The reset may be there before curl knows that it is connected.
      expect(code).to.be.oneOf([7, 35, 56]);
      expect(await near.connections({ verdict: 'loop' })).to.equal(index + 1);
      // A single connection that seems to be its own may be another's, whose port the kernel has rewritten: it takes a few to be certain.
      const dialled = await near.metric('mesher_upstream_connects_total');
      expect(dialled).to.be.within(index + 1, MOST_DIALS * (index + 1));
    }
    await near.process.untilPrinted(
      /"address":"10\.77\.2\.2","port":8080,"uid":2000,"gid":2000,.*"msg":"the rules brought a connection of the sidecar itself back to it/,
    );
    expect(near.process.output.match(/.*rules brought a connection.*/g), 'one line a minute').to.have.lengthOf(1);
    expect(near.process.isRunning).to.equal(true);
  });
});
