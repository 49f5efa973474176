import { FieldBundle, silentLogger, type Invocation, type Outcome } from '@mesher/core';
import { fakePorts } from '@mesher/core/testing';
import { expect } from 'chai';
import fc from 'fast-check';
import { Deadlines } from '../../deadlines.js';
import { Environment } from '../../environment.js';
import { DEFAULT_PROXY_OPTIONS, type ProxyOptions } from '../../options.js';
import { ProxyStats } from '../../stats.js';
import { fastCheckParameters, fuzzSettings } from '../../testing/framing/fuzz-settings.js';
import { REQUESTS, RESPONSE } from '../../testing/framing/messages.js';
import type { Reading } from '../../testing/framing/framed-message.js';
import { mutated } from '../../testing/framing/mutations.js';
import { NodeRequests } from '../../testing/framing/node-requests.js';
import { ObservedConnection } from './observed-connection.js';

const NOTE = 'X-Observed-Here: yes\r\n';
/** Messages are small here, and so are the bounds, so that they are met. */
const OPTIONS: ProxyOptions = { ...DEFAULT_PROXY_OPTIONS, maxHeadBytes: 400, maxPipelinedBytes: 700 };
const settings = fuzzSettings(2_000);
const NOTED = new FieldBundle([['X-Observed-Here', 'yes']]);

/** Something that one side says, in the order of both. */
interface Said {
  readonly by: 'client' | 'upstream';
  readonly bytes: string;
}

/** What both sides say, each cut into pieces anywhere, one after the other at random. */
const CONVERSATION: fc.Arbitrary<Said[]> = fc
  .tuple(
    mutated(REQUESTS, 2),
    mutated(
      fc.array(RESPONSE, { maxLength: 4 }).map((answers) => answers.join('')),
      2,
    ),
    fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 90 })), { maxLength: 60 }),
  )
  .map(([requests, answers, cuts]) => {
    const rest = { client: requests, upstream: answers };
    const said: Said[] = [];
    const say = (by: Said['by'], length: number): void => {
      if (rest[by] !== '') said.push({ by, bytes: rest[by].slice(0, length) });
      rest[by] = rest[by].slice(length);
    };
    for (const [isClient, length] of cuts) say(isClient ? 'client' : 'upstream', length);
    say('client', Infinity);
    say('upstream', Infinity);
    return said;
  });

/** Runs a conversation. @returns what went upstream, and how often each call ended */
function observe(
  env: Environment,
  conversation: readonly Said[],
): { sent: string; ends: number[]; statuses: number[] } {
  const calls = new Map<Invocation, number>();
  const statuses: number[] = [];
  const observer = {
    direction: 'outbound' as const,
    begin: (call: Invocation): void => {
      calls.set(call, 0);
      call.addFields(NOTED);
    },
    end: (call: Invocation, { status }: Outcome): void => {
      calls.set(call, (calls.get(call) ?? NaN) + 1);
      statuses.push(status);
    },
  };
  const connection = new ObservedConnection({ observer, destination: undefined, sources: [], env }, '');
  let sent = '';
  connection.begin({
    endpoint: undefined,
    sendUpstream: (data) => (sent += typeof data === 'string' ? data : data.toString('latin1')),
    closeIdle: () => undefined,
  });
  for (const { by, bytes } of conversation) {
    const buffer = Buffer.from(bytes, 'latin1');
    if (by === 'client') connection.onClientBytes(buffer);
    else {
      connection.onUpstreamBytes(buffer);
      // The socket reads into the same buffer again.
      buffer.fill(0xee);
    }
  }
  connection.onClientEnd();
  connection.onUpstreamEnd();
  connection.onOver(undefined, false);
  return { sent, ends: [...calls.values()], statuses };
}

describe(`an observer of anything (${settings.title})`, () => {
  const ports = fakePorts();
  const deadlines = new Deadlines(ports.clock, ports.timers);
  const env = new Environment(OPTIONS, deadlines, new ProxyStats(), silentLogger(), ports.random, () => 0);

  it('passes all that the client says, adds to it nothing but what it was told to, and ends each call once', () => {
    let seen = 0;
    fc.assert(
      fc.property(CONVERSATION, (conversation) => {
        const { sent, ends } = observe(env, conversation);
        const said = conversation.flatMap(({ by, bytes }) => (by === 'client' ? [bytes] : [])).join('');
        expect(sent.split(NOTE).join('')).to.equal(said);
        expect(sent.split(NOTE).length - 1).to.equal(ends.length);
        expect(ends.every((count) => count === 1)).to.equal(true);
        seen += ends.length;
      }),
      fastCheckParameters(settings),
    );
    expect(seen, 'requests that were understood').to.be.greaterThan(10);
  });

  it('adds to the heads of requests alone, as a server reads them: no body and no trailer is another one', async () => {
    const server = new NodeRequests();
    let noted = 0;
    const stripped = ({ messages, stopped }: Reading): unknown => ({
      stopped,
      messages: messages.map(({ fields, ...rest }) => {
        const others = fields.filter(([name]) => name !== 'x-observed-here');
        noted += fields.length - others.length;
        return { ...rest, fields: others };
      }),
    });
    await fc.assert(
      fc.asyncProperty(mutated(REQUESTS, 2), fc.integer({ min: 1, max: 200 }), async (requests, length) => {
        const pieces = requests.match(new RegExp(`[^]{1,${length}}`, 'g')) ?? [];
        const { sent } = observe(
          env,
          pieces.map((bytes) => ({ by: 'client', bytes })),
        );
        const [before, after] = [await read(requests), await read(sent)];
        expect(stripped(after)).to.deep.equal(stripped(before));
      }),
      { ...fastCheckParameters(settings), numRuns: Math.ceil(settings.runs / 4) },
    );
    expect(noted, 'heads with the field').to.be.greaterThan(10);

    function read(text: string): Promise<Reading> {
      return server.read(Buffer.from(text, 'latin1'));
    }
  });

  it('finds the same requests and answers wherever the stream is cut', () => {
    const requests =
      'GET /1 HTTP/1.1\r\nHost: h\r\n\r\nPUT /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcGET /3 HTTP/1.1\r\nHost: h\r\n\r\n';
    const answers =
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 A\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 404 B\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\nHTTP/1.1 200 C\r\n\r\nthe rest';
    const size = fc.integer({ min: 1, max: 60 });
    fc.assert(
      fc.property(size, size, (a, b) => {
        const cut = (text: string, by: Said['by'], length: number): Said[] =>
          (text.match(new RegExp(`[^]{1,${length}}`, 'g')) ?? []).map((bytes) => ({ by, bytes }));
        const { statuses } = observe(env, [...cut(requests, 'client', a), ...cut(answers, 'upstream', b)]);
        expect(statuses).to.deep.equal([201, 404, 200]);
      }),
      { seed: settings.seed, numRuns: 200 },
    );
  });
});
