import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  connect,
  constants,
  sensitiveHeaders,
  type ClientHttp2Session,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
  type Settings,
} from 'node:http2';
import { expect } from 'chai';
import fc from 'fast-check';
import { fuzzSettings } from '../../testing/framing/fuzz-settings.js';
import { startHttp2Server } from '../../testing/http2-peers.js';
import { ProxyRig } from '../../testing/proxy-rig.js';

type Fields = Readonly<Record<string, string | string[]>>;

/** What a client does with one call, and what the server does with it. */
interface CallPlan {
  readonly method: string;
  readonly fields: Fields;
  readonly pieces: readonly number[];
  readonly trailers: Fields | undefined;
  readonly interim: number;
  readonly status: number;
  /** Begins the answer before the request has ended, and ends it after that. */
  readonly atOnce: boolean;
  readonly answerFields: Fields;
  readonly answerPieces: readonly number[];
  readonly answerTrailers: Fields | undefined;
  /** By the client, once the head of the answer is there. A server of Node cannot reset what it has not ended before. */
  readonly isCancelled: boolean;
}

interface Scene {
  readonly clientSettings: Settings;
  readonly serverSettings: Settings;
  readonly padding: number;
  readonly serverPadding: number;
  /** Two lots of calls, each all at once; SETTINGS of both sides change between them. */
  readonly first: readonly CallPlan[];
  readonly change: Settings;
  readonly second: readonly CallPlan[];
}

/** What one side saw of a call. */
interface Seen {
  readonly head: readonly string[];
  readonly secret: unknown;
  readonly interim: readonly unknown[];
  readonly body: string;
  readonly trailers: unknown;
  readonly resetCode: number;
}

const SETTINGS = fuzzSettings(60);
const { PADDING_STRATEGY_NONE, PADDING_STRATEGY_MAX, NGHTTP2_CANCEL } = constants;
/** Its name is missing in the types of Node. */
const PADDING_STRATEGY_ALIGNED = 1;
/** Bodies stay below this where windows are tiny: each byte is a frame then. */
const MOST_BYTES_OF_TINY_WINDOWS = 200;
const TINY_WINDOW = 100;
/** Field in which a call says which one it is. */
const NUMBER = 'x-number';

const NAMES = ['x-a', 'x-b', 'user-agent', 'authorization', 'traceparent', 'x-secret', 'x-'.padEnd(60, 'n')];
const ONE_VALUE = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('', 'a', 'application/grpc', 'z'.repeat(300)) },
  { weight: 3, arbitrary: fc.stringMatching(/^[!-~]([ -~]{0,60}[!-~])?$/) },
  // More than a frame holds, when two come together: CONTINUATION.
  { weight: 1, arbitrary: fc.constantFrom('long'.repeat(2500), '~'.repeat(9000)) },
);
const VALUES = fc.array(ONE_VALUE, { minLength: 2, maxLength: 3 });
/** Node takes only one value of the fields that it knows. */
const FIELD = fc
  .tuple(fc.constantFrom(...NAMES), ONE_VALUE, fc.option(VALUES, { freq: 5 }))
  .map(([name, value, values]): [string, string | string[]] => [
    name,
    name.startsWith('x-') && values !== null ? values : value,
  ]);
const FIELDS = fc.array(FIELD, { maxLength: 5 }).map((fields): Fields => Object.fromEntries(fields));
const TRAILERS = fc.option(
  fc.array(FIELD, { minLength: 1, maxLength: 3 }).map((fields): Fields => Object.fromEntries(fields)),
  { nil: undefined },
);
const PIECES = fc.array(fc.oneof(fc.constantFrom(0, 1, 16_384, 16_385), fc.nat(30_000)), { maxLength: 4 });

const CALL: fc.Arbitrary<CallPlan> = fc
  .record({
    method: fc.constantFrom('GET', 'POST', 'POST', 'PUT', 'HEAD'),
    fields: FIELDS,
    pieces: PIECES,
    trailers: TRAILERS,
    interim: fc.constantFrom(0, 0, 1, 3),
    status: fc.constantFrom(200, 200, 200, 404, 204, 304, 503),
    atOnce: fc.boolean(),
    answerFields: FIELDS,
    answerPieces: PIECES,
    answerTrailers: TRAILERS,
    isCancelled: fc.integer({ min: 0, max: 4 }).map((of) => of === 0),
  })
  .map((call) =>
    call.method === 'HEAD' || call.status === 204 || call.status === 304
      ? // Node ends these at once, and an answer that is complete before its request needs no rest of that.
        { ...call, atOnce: false, answerPieces: [], answerTrailers: undefined, isCancelled: false }
      : call,
  );

const WINDOWS = fc.constantFrom(1, 10, 1000, 65_535, 1_000_000);
const SETTINGS_OF_PEER: fc.Arbitrary<Settings> = fc.record({
  headerTableSize: fc.constantFrom(0, 100, 4096, 65_536),
  initialWindowSize: WINDOWS,
  maxFrameSize: fc.constantFrom(16_384, 20_000, 16_777_215),
});
const PADDING = fc.constantFrom(PADDING_STRATEGY_NONE, PADDING_STRATEGY_ALIGNED, PADDING_STRATEGY_MAX);
const CALLS = fc.array(CALL, { minLength: 1, maxLength: 6 });

const SCENE: fc.Arbitrary<Scene> = fc.record({
  clientSettings: SETTINGS_OF_PEER,
  serverSettings: fc
    .tuple(SETTINGS_OF_PEER, fc.constantFrom(1, 3, 100))
    .map(([settings, maxConcurrentStreams]) => ({ ...settings, maxConcurrentStreams })),
  padding: PADDING,
  serverPadding: PADDING,
  first: CALLS,
  change: fc.record({ headerTableSize: fc.constantFrom(0, 50, 4096), initialWindowSize: WINDOWS }),
  second: CALLS,
});

/** A body in which no byte may be lost or moved unseen. */
function pattern(bytes: number): Buffer {
  const body = Buffer.alloc(bytes);
  for (let i = 0; i < bytes; i++) body[i] = (i * 31 + (i >>> 8)) & 0xff;
  return body;
}

/** Gathers what a stream brings, whichever side it is on. */
class Observation {
  readonly interim: unknown[] = [];
  head: readonly string[] = [];
  secret: unknown = undefined;
  trailers: unknown = undefined;
  readonly #hash = createHash('sha1');
  #bytes = 0;

  takeHead(headers: IncomingHttpHeaders, raw: readonly string[]): void {
    this.head = raw.filter((_text, i) => raw[i - (i % 2)] !== 'date');
    this.secret = headers[sensitiveHeaders as unknown as string];
  }

  takeData(piece: Buffer): void {
    this.#hash.update(piece);
    this.#bytes += piece.length;
  }

  /** What is the same however the peers were connected: of a call that is broken off only how that happened. */
  seen(plan: CallPlan, resetCode: number): Seen {
    const { head, secret, interim, trailers } = this;
    const whole = { head, secret, interim, body: `${this.#bytes} ${this.#hash.digest('hex')}`, trailers, resetCode };
    return plan.isCancelled ? { ...whole, body: '', trailers: undefined } : whole;
  }
}

function withSecrets(fields: Fields, more: OutgoingHttpHeaders): OutgoingHttpHeaders {
  return Object.assign({ ...more, ...fields }, { [sensitiveHeaders]: 'x-secret' in fields ? ['x-secret'] : [] });
}

function sizes(pieces: readonly number[], windows: readonly (number | undefined)[]): number[] {
  const isTiny = windows.some((window) => window !== undefined && window < TINY_WINDOW);
  return pieces.map((size) => (isTiny ? size % MOST_BYTES_OF_TINY_WINDOWS : size));
}

/** The server of one run, and what it saw of each call. */
class ScriptedServer {
  readonly seen: Seen[] = [];
  closed = 0;

  constructor(
    private readonly plans: readonly CallPlan[],
    private readonly windows: readonly (number | undefined)[],
  ) {}

  onStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, raw: readonly string[]): void {
    const index = Number(headers[NUMBER]);
    const plan = this.plans[index];
    const observed = new Observation();
    observed.takeHead(headers, raw);
    stream.on('data', (piece: Buffer) => observed.takeData(piece));
    stream.on('trailers', (trailers: IncomingHttpHeaders) => (observed.trailers = { ...trailers }));
    stream.on('close', () => {
      this.seen[index] = observed.seen(plan, stream.rstCode ?? 0);
      this.closed++;
    });
    const pieces = sizes(plan.answerPieces, this.windows);
    const begin = (): void => {
      if (stream.destroyed) return;
      for (let i = 0; i < plan.interim; i++) stream.additionalHeaders({ ':status': 103, link: `<${i}>` });
      stream.on('wantTrailers', () => stream.sendTrailers(plan.answerTrailers ?? {}));
      const waitForTrailers = plan.answerTrailers !== undefined;
      stream.respond(withSecrets(plan.answerFields, { ':status': plan.status }), { waitForTrailers });
      for (const size of pieces) if (!stream.writableEnded) stream.write(pattern(size));
    };
    if (plan.atOnce) begin();
    stream.on('end', () => {
      if (!plan.atOnce) begin();
      if (!plan.isCancelled) stream.end();
    });
  }
}

function call(
  session: ClientHttp2Session,
  index: number,
  plan: CallPlan,
  windows: readonly (number | undefined)[],
): Promise<Seen> {
  const observed = new Observation();
  const pseudo = { ':method': plan.method, ':path': `/${index}`, ':authority': 'shop', [NUMBER]: String(index) };
  const waitForTrailers = plan.trailers !== undefined;
  const stream = session.request(withSecrets(plan.fields, pseudo), { endStream: false, waitForTrailers });
  stream.on('error', () => undefined);
  stream.on('wantTrailers', () => stream.sendTrailers(plan.trailers ?? {}));
  stream.on('headers', (block) => observed.interim.push({ ...block }));
  stream.on('response', (headers: IncomingHttpHeaders, _flags: number, raw?: readonly string[]) => {
    observed.takeHead(headers, raw ?? []);
    if (plan.isCancelled) stream.close(NGHTTP2_CANCEL);
  });
  stream.on('trailers', (trailers: IncomingHttpHeaders) => (observed.trailers = { ...trailers }));
  stream.on('data', (piece: Buffer) => observed.takeData(piece));
  for (const size of sizes(plan.pieces, windows)) stream.write(pattern(size));
  stream.end();
  return new Promise((resolve) => stream.on('close', () => resolve(observed.seen(plan, stream.rstCode ?? 0))));
}

/** Plays a scene between Node's client and Node's server, with a proxy between them or without. */
async function play(scene: Scene, isProxied: boolean): Promise<{ client: Seen[]; server: Seen[] }> {
  const { first, second, change, clientSettings, serverSettings } = scene;
  const windows = [clientSettings, serverSettings, change].map(({ initialWindowSize }) => initialWindowSize);
  const rig = new ProxyRig();
  const script = new ScriptedServer([...first, ...second], windows);
  const options = { settings: serverSettings, paddingStrategy: scene.serverPadding };
  const server = await startHttp2Server(rig, () => undefined, options);
  server.server.on('stream', (stream, headers, _flags: number, raw?: readonly string[]) =>
    script.onStream(stream, headers, raw ?? []),
  );
  const { port } = isProxied ? await rig.proxy({ upstreamPort: server.port, speaks: 'http2' }) : server;
  const session = connect(`http://127.0.0.1:${port}`, { settings: clientSettings, paddingStrategy: scene.padding });
  session.on('error', () => undefined);
  rig.atEnd(() => session.destroy());
  // Before that the client would open more calls than the server takes.
  await once(session, 'remoteSettings');
  const client = await Promise.all(first.map((plan, i) => call(session, i, plan, windows)));
  session.settings(change);
  for (const each of server.sessions) each.settings(change);
  client.push(...(await Promise.all(second.map((plan, i) => call(session, first.length + i, plan, windows)))));
  while (script.closed < client.length) await new Promise((resolve) => setImmediate(resolve));
  await rig.close();
  return { client, server: script.seen };
}

describe(`calls between node:http2 and node:http2 (${SETTINGS.title})`, () => {
  it('are the same on both sides with a proxy between them, whatever the frames, windows, tables and padding', async () => {
    await fc.assert(
      fc.asyncProperty(SCENE, async (scene) => {
        expect(await play(scene, true)).to.deep.equal(await play(scene, false));
      }),
      // No limit of time: an interrupted scene would go on behind the test.
      { seed: SETTINGS.seed, numRuns: SETTINGS.runs },
    );
  }).timeout(120_000);
});
