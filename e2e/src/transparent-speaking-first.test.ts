import { expect } from 'chai';
import { requireCurl } from './support/command.js';
import { ADDRESSES, FAMILIES, inUrl, useTransparentScene, USUAL_WAY, type Way } from './support/transparent-scene.js';
import type { SpawnedProcess } from './support/spawned-process.js';
import { listenTo } from './support/transparent-sidecar.js';

/** Longer than any test takes: whoever waited for it would never answer. */
const LONG = { 'mesher.proxy.detectTimeout': '5m' };

/** What a sidecar may make of requests, which must mean nothing to those who are silent. */
const TREATMENTS = {
  'whose bytes pass': LONG,
  'whose requests are seen one by one': { ...LONG, 'transparent.requests': 'serve' },
  'whose requests belong to the mesh': { ...LONG, 'transparent.policy': 'mesh' },
} as const;

const SAMPLES = 40;

/** Connects again and again, waits for the banner, and prints the median of the milliseconds. */
const MEASURE = `
const { connect } = require('node:net');
const [host, count] = process.argv.slice(1);
const once = () => new Promise((resolve, reject) => {
  const start = performance.now();
  const socket = connect({ host, port: 9022 }).once('data', () => { resolve(performance.now() - start); socket.destroy(); }).once('error', reject);
});
(async () => {
  const times = [];
  for (let index = 0; index < count; index++) times.push(await once());
  process.stdout.write(String(times.sort((a, b) => a - b)[count >> 1]));
})();
`;

describe('a server that speaks first, behind two transparent sidecars', () => {
  const scene = useTransparentScene('curl');
  let app: SpawnedProcess;

  before(async function () {
    requireCurl(this);
    app = await scene().startApp('far');
  });

  async function median(): Promise<number> {
    return Number(await scene().call(process.execPath, '-e', MEASURE, ADDRESSES.far.ipv4, String(SAMPLES)));
  }

  for (const [treatment, mesher] of Object.entries(TREATMENTS)) {
    it(`is heard by a client that says nothing, by sidecars ${treatment}, and both go on to talk`, async () => {
      const [near, far] = await scene().bothSidecars(USUAL_WAY, { mesher });
      for (const family of FAMILIES) {
        const address = ADDRESSES.far[family];
        expect(await listenTo(scene().near, address, 9022)).to.equal('SSH-2.0-far\r\n');
        await sendMail(address, `over ${family}, ${treatment}`);
      }
      const counts = [near, far].map((sidecar) => sidecar.connections({ protocol: 'server-first', verdict: 'passed' }));
      const withoutLook = mesher === LONG ? await Promise.all(counts) : [];
      expect(withoutLook).to.deep.equal(mesher === LONG ? [4, 4] : []);
    });
  }

  it('is heard on an opaque port, and where inbound connections come by TPROXY', async () => {
    const way: Way = { backend: 'iptables-nft', inbound: 'TPROXY' };
    const [near] = await scene().bothSidecars(way, { mesher: { ...LONG, 'transparent.opaquePorts': [2525] } });
    for (const family of FAMILIES) {
      expect(await listenTo(scene().near, ADDRESSES.far[family], 9022)).to.equal('SSH-2.0-far\r\n');
      await sendMail(ADDRESSES.far[family], `over ${family} without a look`);
    }
    expect(await near.connections({ protocol: 'opaque', verdict: 'passed' })).to.equal(2);
  });

  it('answers after a time that is printed beside that of a direct connection', async function () {
    await scene().stopSidecars();
    const direct = await median();
    await scene().bothSidecars(USUAL_WAY, { mesher: LONG });
    await median();
    const through = await median();
    const text = `connect to banner, median of ${SAMPLES}: direct ${direct.toFixed(2)} ms, through two sidecars ${through.toFixed(2)} ms`;
    process.stdout.write(`    ${text}\n`);
  });

  /** curl waits for the banner before it says who it is. */
  async function sendMail(address: string, text: string): Promise<void> {
    const mail = await scene().write('mail', `Subject: ${text}\n\nhello\n`);
    const delivered = app.untilPrinted(new RegExp(`^mail Subject: ${text}\\|`, 'm'), 'now');
    const parties = ['--mail-from', 'near@mesh.example', '--mail-rcpt', 'far@mesh.example'];
    const url = `smtp://${inUrl(address)}:2525`;
    await scene().call('curl', '-sS', '--max-time', '20', '--crlf', ...parties, '-T', mail, url);
    await delivered;
  }
});
