import { expect } from 'chai';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from './support/eventually.js';
import {
  describeCase,
  FIRST_PORT,
  HALF_CLOSE_CASES,
  inFlight,
  type HalfCloseCase,
  type Observation,
} from './support/half-close-cases.js';
import { APPLICATION } from './support/intercepted-calls.js';
import { ADDRESSES, requireNetworkNamespaces, TwoHosts } from './support/network-namespaces.js';
import { TransparentSidecar } from './support/transparent-sidecar.js';

const PROGRAM = fileURLToPath(new URL('programs/half-close-main.js', import.meta.url));

/** What both ends saw of each conversation, as lines that can be compared. */
type Seen = readonly string[];

describe('who ends a connection, and how, through two transparent sidecars', function () {
  this.timeout(120_000);
  let hosts: TwoHosts;
  let folder: string;
  let direct: Seen;
  const sidecars: TransparentSidecar[] = [];

  before(async function () {
    requireNetworkNamespaces(this, 'iptables-nft', 'curl');
    folder = await mkdtemp(join(tmpdir(), 'mesher-half-close-'));
    await chmod(folder, 0o755);
    hosts = await TwoHosts.create();
    direct = await converse();
  });

  afterEach(async () => {
    await Promise.all(sidecars.splice(0).map((sidecar) => sidecar.stop()));
  });

  after(async () => {
    await hosts?.close();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  it('is what was planned, over a direct connection', () => {
    expect(direct).to.deep.equal(HALF_CLOSE_CASES.flatMap((one) => [planned(one, 'client'), planned(one, 'server')]));
  });

  for (const [what, mesher] of [
    ['whose bytes pass', {}],
    [
      'whose connections pass without a look',
      { transparent: { opaquePorts: HALF_CLOSE_CASES.map((_, index) => FIRST_PORT + index) } },
    ],
  ] as const) {
    it(`is seen by both ends as over a direct connection: ${HALF_CLOSE_CASES.length} conversations ${what}`, async () => {
      for (const name of ['near', 'far'] as const) {
        sidecars.push(await TransparentSidecar.start(hosts[name], { service: name, folder, mesher }));
      }
      const through = await converse();
      const [near] = sidecars;
      expect(await near?.connections({ direction: 'outbound', verdict: 'passed' })).to.equal(HALF_CLOSE_CASES.length);
      expect(through.filter((line, index) => line !== direct[index])).to.deep.equal([]);
    });
  }

  async function converse(): Promise<Seen> {
    const server = hosts.far.spawn(process.execPath, [PROGRAM, 'server'], { as: APPLICATION });
    await server.untilPrinted(/^listening$/m);
    const client = hosts.near.spawn(process.execPath, [PROGRAM, 'client', ADDRESSES.far.ipv4], { as: APPLICATION });
    try {
      await client.untilPrinted(/^all over$/m);
      const seen = await eventually('what both ends saw of each', () => {
        const all = [client, server].flatMap(({ stdout }) => observations(stdout));
        return all.length >= 2 * HALF_CLOSE_CASES.length ? all : undefined;
      });
      return HALF_CLOSE_CASES.flatMap((_, index) =>
        (['client', 'server'] as const).map((side) => {
          const [one] = seen.filter((each) => each.case === index && each.side === side);
          return one === undefined ? `nothing of ${side} ${index}` : inWords(one);
        }),
      );
    } finally {
      await Promise.all([client.kill(), server.kill()]);
    }
  }
});

function observations(text: string): Observation[] {
  return [...text.matchAll(/^\{.*\}$/gm)].map(([line]) => JSON.parse(line) as Observation);
}

function inWords({ case: index, side, received, isIntact, ended }: Observation): string {
  const what = describeCase(HALF_CLOSE_CASES[index] as HalfCloseCase);
  return `${what}: ${side} got ${received} bytes${isIntact ? '' : ', WRONG ONES'}, ${ended}`;
}

function planned(one: HalfCloseCase, side: 'client' | 'server'): string {
  const other = side === 'client' ? 'server' : 'client';
  const { ender, ending } = one;
  const more = ender === 'neither' ? 'done'.length : 0;
  const received = ending === 'reset' ? 'a part' : inFlight(one, other).length + more;
  const isOwn = ending === 'reset' && (ender === 'both' || ender === side);
  const ended = ender === 'neither' ? 'open' : isOwn ? 'own reset' : ending;
  return inWords({ case: HALF_CLOSE_CASES.indexOf(one), side, received, isIntact: true, ended });
}
