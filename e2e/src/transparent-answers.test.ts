import { expect } from 'chai';
import { fileURLToPath } from 'node:url';
import { eventually } from './support/eventually.js';
import { APPLICATION } from './support/intercepted-calls.js';
import { ADDRESSES, FAMILIES, inUrl, useTransparentScene } from './support/transparent-scene.js';
import { startCollector, type TransparentSidecar, type ZipkinSpan } from './support/transparent-sidecar.js';

const SERVER = fileURLToPath(new URL('./programs/exact-answers-main.js', import.meta.url));
const PORT = 8090;

/** Requests that one connection carries, sent all at once; the last one ends it. */
const PIPELINED = [
  'GET /length',
  'HEAD /length',
  'GET /chunked',
  'GET /nothing',
  'GET /unchanged',
  'GET /early',
  'GET /events',
  'GET /fails',
  'GET /unframed',
].map((line) => `${line} HTTP/1.1\r\nHost: exact\r\nX-Request-Id: ${line.replace(/\W/g, '')}\r\n\r\n`);

/** What a client says, piece by piece; the next one when the server has said something. */
const CONVERSATIONS: readonly (readonly [what: string, pieces: readonly string[], requests: number])[] = [
  ['pipelined requests', [PIPELINED.join('')], PIPELINED.length],
  ['HTTP/1.0', ['GET /old HTTP/1.0\r\n\r\n'], 1],
  [
    'a body that waits for 100',
    [
      'POST /taken HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n',
      'bodyGET /unframed HTTP/1.1\r\nHost: h\r\n\r\n',
    ],
    2,
  ],
  [
    'a switch of protocols',
    ['GET /switch HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\nUpgrade: echo\r\n\r\n', 'GET / no HTTP.'],
    1,
  ],
  ['an answer that is hardly HTTP', ['GET /strange HTTP/1.1\r\nHost: h\r\n\r\n'], 1],
];

/** Prints in Base64 what comes until the server ends the connection. */
const CLIENT = `
const [host, port, pieces] = process.argv.slice(1);
const rest = JSON.parse(pieces);
const socket = require('node:net').connect({ host, port, allowHalfOpen: true });
const got = [];
socket.on('error', (error) => { process.stdout.write(error.code); process.exit(); });
socket.on('data', (bytes) => { got.push(bytes); if (rest.length > 0) socket.write(rest.shift(), 'latin1'); });
socket.on('end', () => { process.stdout.write(Buffer.concat(got).toString('base64')); socket.end(); });
socket.write(rest.shift(), 'latin1');
`;

/** What curl is told to get over one connection. */
const CURLED = ['length', 'chunked', 'nothing', 'early', 'events', 'fails', 'unframed'];

interface TaggedSpan extends ZipkinSpan {
  readonly tags: Readonly<Record<string, string>>;
}

describe('the answers of unaware servers to unaware clients, while spans are made of each request', () => {
  const scene = useTransparentScene('curl');
  const direct = new Map<string, string>();
  let near: TransparentSidecar, far: TransparentSidecar;
  let spans: readonly (() => TaggedSpan[])[];
  let requests = 0;

  before(async () => {
    const server = scene().far.spawn(process.execPath, [SERVER, String(PORT)], { as: APPLICATION });
    await server.untilPrinted(/^listening$/m);
    for (const [what, pieces] of CONVERSATIONS) direct.set(what, await talk(ADDRESSES.far.ipv4, pieces));
    direct.set('curl', await curl(ADDRESSES.far.ipv4));
    const readers = await Promise.all([scene().near, scene().far].map((host) => startCollector(host)));
    spans = readers as (() => TaggedSpan[])[];
    const tracing = { 'tracing.tracer': 'zipkin', 'tracing.settings.URI': 'http://127.0.0.1:9411/api/v2/spans' };
    const chassis = { ...tracing, 'tracing.settings.batchInterval': '10ms' };
    // Whatever a sidecar would add elsewhere.
    const mesher = { 'mesher.proxy.forwarding.via': true, 'mesher.serverTiming': true };
    [near, far] = await scene().bothSidecars(undefined, { chassis, mesher });
  });

  async function talk(address: string, pieces: readonly string[]): Promise<string> {
    const printed = await scene().call(process.execPath, '-e', CLIENT, address, String(PORT), JSON.stringify(pieces));
    return Buffer.from(printed, 'base64').toString('latin1');
  }

  async function curl(address: string): Promise<string> {
    const urls = CURLED.map((path) => `http://${inUrl(address)}:${PORT}/${path}`);
    return await scene().call('curl', '-sS', '-i', '--raw', '--max-time', '20', ...urls);
  }

  for (const family of FAMILIES) {
    for (const [what, pieces, count] of CONVERSATIONS) {
      it(`are the same to the byte without and with two sidecars: ${what}, over ${family}`, async () => {
        const seen = await talk(ADDRESSES.far[family], pieces);
        requests += count;
        expect(seen).to.equal(direct.get(what));
        expect(seen.length, 'something was answered').to.be.greaterThan(30);
      });
    }

    it(`are the same to the byte as curl sees them, over ${family}`, async () => {
      expect(await curl(ADDRESSES.far[family])).to.equal(direct.get('curl'));
      requests += CURLED.length;
    });
  }

  it('have belonged to two linked spans each, and to the metrics of both sides', async () => {
    const [clients = [], servers = []] = await eventually('all spans', () => {
      const both = spans.map((read) => read());
      return both.every(({ length }) => length >= requests) ? both : undefined;
    });
    expect([clients.length, servers.length]).to.deep.equal([requests, requests]);
    for (const server of servers) {
      const client = clients.find(({ id }) => id === server.parentId);
      expect([client?.kind, server.kind, client?.traceId]).to.deep.equal(['CLIENT', 'SERVER', server.traceId]);
      for (const tag of ['http.path', 'http.method', 'http.status_code', 'http.response_size', 'http.request_size'])
        expect(client?.tags[tag], `${server.tags['http.path']} ${tag}`).to.equal(server.tags[tag]);
    }
    const ids = servers.filter(({ tags }) => tags['http.request_id'] === 'GETevents');
    expect(ids, 'ids of the clients themselves').to.have.length(FAMILIES.length);
    expect(await near.metric('mesher_requests_total', { direction: 'outbound' })).to.be.at.least(requests);
    expect(await far.metric('mesher_requests_total', { direction: 'inbound' })).to.be.at.least(requests);
  });

  it('are missing where nobody listens: the client sees a reset and no answer, and the span an error', async () => {
    const failed = (): TaggedSpan[] => (spans[0]?.() ?? []).filter(({ tags }) => tags['mesher.error'] !== undefined);
    const before = failed().length;
    const { stderr } = await scene().attempt('curl', '-sS', `http://${ADDRESSES.far.ipv4}:4321/nobody`);
    expect(stderr).to.match(/Recv failure: Connection reset by peer/);
    const [span] = await eventually('a span', () => (failed().length > before ? failed().slice(before) : undefined));
    expect(span?.tags).to.include({ 'http.path': '/nobody' });
  });
});
