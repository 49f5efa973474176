import { once } from 'node:events';
import {
  connect,
  createServer,
  sensitiveHeaders,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { expect } from 'chai';
import fc from 'fast-check';
import { fuzzSettings } from '../testing/framing/fuzz-settings.js';
import { HeaderBlock } from './hpack/header-block.js';
import { HeaderField } from './hpack/header-field.js';
import { RawSession } from './testing/raw-session.js';

/** Names and values of a block, names being unique: that is how Node takes them. */
type FieldList = readonly (readonly [name: string, value: string])[];

const NAME = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('x-a', 'x-b', 'user-agent', 'content-type', 'grpc-timeout', 'traceparent') },
  { weight: 1, arbitrary: fc.stringMatching(/^x-[a-z0-9_]{1,80}$/) },
);
const VALUE = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('a', 'application/grpc', '/svc/Method', 'z'.repeat(500)) },
  { weight: 2, arbitrary: fc.stringMatching(/^[!-~]{1,40}$/) },
  { weight: 1, arbitrary: fc.stringMatching(/^[!-~][ -~]{0,300}[!-~]$/) },
);

/** Lists of fields in which names and values come again, as on real connections. */
const FIELD_LISTS: fc.Arbitrary<FieldList> = fc.uniqueArray(fc.tuple(NAME, VALUE), {
  maxLength: 10,
  selector: ([name]) => name,
});

const SETTINGS = fuzzSettings(400);
const TABLE_SIZES = [4096, 0, 100, 1000, 65_536];
const REQUEST: FieldList = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'test'],
];

/** Blocks of which some come again, so that tables and caches are used. */
function sequences(salt: number): FieldList[] {
  const { seed, runs } = SETTINGS;
  const lists = fc.sample(FIELD_LISTS, { seed: seed + salt, numRuns: Math.max(runs >> 1, 1) });
  return Array.from({ length: runs }, (_, i) => lists[i % 3 === 0 ? i % lists.length : ((i * 7) % 5) % lists.length]);
}

function block(fields: FieldList): HeaderBlock {
  return HeaderBlock.of(fields.map(([name, value]) => new HeaderField(name, value)));
}

function pairs(decoded: HeaderBlock): FieldList {
  return decoded.fields.map(({ name, value }) => [name, value]);
}

/** The pairs of a list `[name, value, name, value, ...]`. */
function rawPairs(raw: readonly string[]): FieldList {
  return raw.flatMap((name, i) => (i % 2 === 0 ? [[name, raw[i + 1]] as const] : []));
}

describe(`header blocks beside node:http2 (${SETTINGS.title})`, function () {
  this.timeout(120_000);

  for (const [salt, tableBytes] of TABLE_SIZES.entries()) {
    it(`go both ways between our client and Node's server with tables of ${tableBytes} bytes`, async () => {
      const seen: FieldList[] = [];
      const server = createServer({ settings: { headerTableSize: tableBytes } });
      server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, raw: string[]) => {
        seen.push(rawPairs(raw));
        const echo: OutgoingHttpHeaders = { ':status': 200 };
        const secret: string[] = [];
        for (const [name, value] of Object.entries(headers)) {
          if (name.startsWith(':')) continue;
          echo[name] = value;
          if (name === 'x-b') secret.push(name);
        }
        Object.assign(echo, { [sensitiveHeaders]: secret });
        stream.respond(echo, { endStream: true });
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const session = await RawSession.connect((server.address() as AddressInfo).port, tableBytes);
      let streamId = 1;
      const blocks = new Map<FieldList, HeaderBlock>();
      for (const fields of sequences(salt)) {
        const request = blocks.get(fields) ?? block([...REQUEST, ...fields]);
        blocks.set(fields, request);
        const answered = session.nextBlock();
        session.writer.headers(streamId, request, true);
        streamId += 2;
        const answer = await answered;
        expect(seen.at(-1)).to.deep.equal([...REQUEST, ...fields]);
        expect(pairs(answer)).to.deep.include([':status', '200']);
        expect(pairs(answer).filter(([name]) => name !== ':status' && name !== 'date')).to.deep.equal(fields);
        for (const field of answer.fields) expect(field.neverIndexed, field.name).to.equal(field.name === 'x-b');
      }
      session.socket.destroy();
      await session.ended;
      await new Promise((resolve) => server.close(resolve));
    });

    it(`go both ways between Node's client and our server with tables of ${tableBytes} bytes`, async () => {
      let ours: RawSession | undefined;
      const server = createTcpServer((socket) => {
        const session = new RawSession(socket, true, tableBytes);
        ours = session;
        session.onBlock = (streamId, request) => {
          const fields = pairs(request).filter(([name]) => !name.startsWith(':'));
          session.writer.headers(streamId, block([[':status', '200'], ...fields]), true);
        };
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const client = connect(url, { settings: { headerTableSize: tableBytes } });
      for (const fields of sequences(salt)) {
        const request = client.request({ ':authority': 'test', ...Object.fromEntries(fields) }, { endStream: true });
        const [, , raw] = (await once(request, 'response')) as unknown as [unknown, unknown, string[]];
        expect(rawPairs(raw)).to.deep.equal([[':status', '200'], ...fields]);
        const sent = pairs(ours?.blocks.at(-1) as HeaderBlock);
        expect(sent.filter(([name]) => !name.startsWith(':'))).to.deep.equal(fields);
        request.close();
      }
      client.destroy();
      await ours?.ended;
      await new Promise((resolve) => server.close(resolve));
    });
  }
});
