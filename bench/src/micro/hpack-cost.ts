import { pathToFileURL } from 'node:url';

/**
 * What HPACK costs: CPU per header block, decoded and encoded by the proxy's codec.
 * Run: `npx tsc -b packages/proxy bench && node bench/dist/micro/hpack-cost.js [codec.cjs]`
 * A second codec with the same classes (`Decoder`, `Encoder`, `makeBlock`) is measured beside ours in the same run.
 */

/** Blocks per sample. */
const BLOCKS = 200_000;
/** Samples; the best one counts, for whatever disturbs only adds. */
const ROUNDS = 5;
/** Different blocks where every block is new. */
const VARIANTS = 512;

type Fields = readonly (readonly [name: string, value: string])[];

/** What is measured: a decoder or an encoder of one connection. */
interface Codec {
  decoder(): (buffer: Buffer, end: number) => unknown;
  encoder(): (out: Buffer, block: unknown) => number;
  block(fields: Fields): unknown;
}

/** The codec is internal to the proxy, so it is loaded by path instead of from the package. */
async function load<T>(file: string, name: string): Promise<T> {
  const url = new URL(`../../../packages/proxy/dist/http2/hpack/${file}.js`, import.meta.url);
  return ((await import(url.href)) as Record<string, T>)[name] as T;
}

type Make<T> = new (...args: unknown[]) => T;

async function ours(): Promise<Codec> {
  const HpackDecoder = await load<Make<{ decode(buffer: Buffer, start: number, end: number): unknown }>>(
    'decoder',
    'HpackDecoder',
  );
  const HpackEncoder = await load<Make<{ encode(out: Buffer, start: number, block: unknown): number }>>(
    'encoder',
    'HpackEncoder',
  );
  const HuffmanDecoder = await load<Make<object>>('huffman', 'HuffmanDecoder');
  const HeaderField = await load<Make<object>>('header-field', 'HeaderField');
  const HeaderBlock = await load<{ of(fields: readonly object[]): unknown }>('header-block', 'HeaderBlock');
  const huffman = new HuffmanDecoder();
  const limits = { maxTableBytes: 4096, maxListBytes: 65_536, maxFields: 128, maxStringBytes: 65_536 };
  return {
    decoder: () => {
      const decoder = new HpackDecoder(limits, huffman);
      return (buffer, end) => decoder.decode(buffer, 0, end);
    },
    encoder: () => {
      const encoder = new HpackEncoder();
      return (out, block) => encoder.encode(out, 0, block);
    },
    block: (fields) => HeaderBlock.of(fields.map(([name, value]) => new HeaderField(name, value))),
  };
}

interface OtherCodec {
  readonly Decoder: new (maxTableBytes: number) => { decode(buffer: Buffer, start: number, end: number): unknown };
  readonly Encoder: new () => { encode(out: Buffer, start: number, block: unknown, addId: number): number };
  makeBlock(fields: Fields): unknown;
}

async function other(path: string): Promise<Codec> {
  const { default: codec } = (await import(pathToFileURL(path).href)) as { default: OtherCodec };
  return {
    decoder: () => {
      const decoder = new codec.Decoder(4096);
      return (buffer, end) => decoder.decode(buffer, 0, end);
    },
    encoder: () => {
      const encoder = new codec.Encoder();
      return (out, block) => encoder.encode(out, 0, block, 0);
    },
    block: (fields) => codec.makeBlock(fields),
  };
}

const GRPC: Fields = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/helloworld.Greeter/SayHello'],
  [':authority', 'orders:50051'],
  ['te', 'trailers'],
  ['content-type', 'application/grpc'],
  ['user-agent', 'grpc-node-js/1.14.0'],
  ['grpc-accept-encoding', 'identity,deflate,gzip'],
  ['accept-encoding', 'identity'],
];

function varying(i: number): Fields {
  const trace = (i * 2654435761).toString(16).padStart(16, '0').repeat(2).slice(0, 32);
  return [...GRPC, ['grpc-timeout', `${1000 + i}m`], ['traceparent', `00-${trace}-${trace.slice(16)}-01`]];
}

/** nginx answers with literals that enter the table each time. */
const ANSWER = Buffer.concat([
  Buffer.from([0x88]),
  ...(
    [
      [54, 'nginx/1.24.0'],
      [33, 'Sat, 21 Nov 2026 12:00:00 GMT'],
      [31, 'application/grpc'],
      [28, '128'],
    ] as const
  ).map(([index, value]) => Buffer.from([0x40 | index, value.length, ...Buffer.from(value)])),
]);

/** Best nanoseconds of CPU per call of `act`. */
function costOf(act: (i: number) => void): string {
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage();
    for (let i = 0; i < BLOCKS; i++) act(i);
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, ((user + system) * 1000) / BLOCKS);
  }
  return `${best.toFixed(0)} ns`;
}

function encoded(encode: (out: Buffer, block: unknown) => number, block: unknown): Buffer {
  const out = Buffer.alloc(1024);
  return Buffer.from(out.subarray(0, encode(out, block)));
}

function costs(codec: Codec): string[] {
  const out = Buffer.alloc(65_536);
  const repeated = codec.block(GRPC);
  const variants = Array.from({ length: VARIANTS }, (_, i) => codec.block(varying(i)));
  const encode = codec.encoder();
  const first = encoded(codec.encoder(), repeated);
  const wires: Buffer[] = [];
  for (let i = 0; i < 4; i++) wires.push(encoded(encode, repeated));
  for (let i = 0; i < 2; i++) wires.push(encoded(encode, variants[i]));
  const fresh = variants.map((block) => encoded(encode, block));
  const warmed = (): ((buffer: Buffer, end: number) => unknown) => {
    const decode = codec.decoder();
    for (const wire of wires) decode(wire, wire.length);
    return decode;
  };
  const steadyDecode = warmed();
  const freshDecode = warmed();
  const answerDecode = codec.decoder();
  const steadyEncode = codec.encoder();
  const freshEncode = codec.encoder();
  const again = encoded(encode, repeated);
  return [
    costOf(() => void codec.decoder()(first, first.length)),
    costOf(() => void steadyDecode(again, again.length)),
    costOf((i) => {
      const wire = fresh[i % VARIANTS] as Buffer;
      freshDecode(wire, wire.length);
    }),
    costOf(() => void answerDecode(ANSWER, ANSWER.length)),
    costOf(() => void codec.encoder()(out, repeated)),
    costOf(() => void steadyEncode(out, repeated)),
    costOf((i) => void freshEncode(out, variants[i % VARIANTS])),
    `${first.length} / ${again.length} / ${fresh[1]?.length} B`,
  ];
}

const ROWS = [
  'decode the first block of a connection',
  'decode a block that comes again',
  'decode a block with new grpc-timeout and traceparent',
  'decode an answer of literals with indexing, again',
  'encode the first block of a connection',
  'encode a block that comes again',
  'encode a block with new grpc-timeout and traceparent',
  'bytes: first / again / new values',
];

const path = process.argv[2];
const columns = [costs(await ours())];
if (path !== undefined) columns.push(costs(await other(path)));
const lines = [`| a block of ${GRPC.length} fields | ours |${path === undefined ? '' : ' other |'}`];
lines.push(`|---|${columns.map(() => '---|').join('')}`);
ROWS.forEach((row, i) => lines.push(`| ${row} | ${columns.map((column) => column[i]).join(' | ')} |`));
process.stdout.write(`${lines.join('\n')}\n`);
