import { expect } from 'chai';
import { until } from '../../testing/proxy-rig.js';
import { ErrorCode } from '../error-codes.js';
import { FrameType } from '../frames/frame-format.js';
import type { RawSession } from '../testing/raw-session.js';
import { answerAll, blockOf, OK, requestOf, startRawInstance, useUpstreamRig } from '../testing/upstream-rig.js';
import { frame, uint32 } from '../testing/wire.js';

interface Misdeed {
  readonly name: string;
  /** What the instance does about the request on a stream. */
  readonly act: (session: RawSession, streamId: number) => void;
  /** Code with which we end the connection; undefined when only the stream ends. */
  readonly goaway?: number;
  readonly method?: string;
}

const { protocolError, flowControlError, compressionError, frameSizeError, enhanceYourCalm } = ErrorCode;
const END = true;

/** Sends bytes as they are, behind what was written before. */
function raw(session: RawSession, ...frames: readonly Buffer[]): void {
  session.output.flush();
  session.socket.write(Buffer.concat(frames));
}

/** A header block in bytes: literals without indexing. */
function literals(...fields: readonly (readonly [name: string, value: string])[]): Buffer {
  const pieces = fields.map(([name, value]) =>
    Buffer.from([0, name.length, ...Buffer.from(name), value.length, ...Buffer.from(value)]),
  );
  return Buffer.concat(pieces);
}

const headers = (streamId: number, flags: number, ...fields: readonly (readonly [string, string])[]): Buffer =>
  frame(FrameType.headers, flags, streamId, literals(...fields));

const data = (streamId: number, bytes: number, flags = 0): Buffer =>
  frame(FrameType.data, flags, streamId, Buffer.alloc(bytes, 'x'));

const MISDEEDS: readonly Misdeed[] = [
  { name: 'DATA before HEADERS', act: (session, id) => raw(session, data(id, 5)) },
  { name: 'a :status that is no number', act: (session, id) => raw(session, headers(id, 5, [':status', '2x0'])) },
  { name: 'no :status', act: (session, id) => raw(session, headers(id, 5, ['server', 'x'])) },
  {
    name: 'two of :status',
    act: (session, id) => raw(session, headers(id, 5, [':status', '200'], [':status', '200'])),
  },
  {
    name: 'a pseudo-header field of requests',
    act: (s, id) => raw(s, headers(id, 5, [':status', '200'], [':path', '/'])),
  },
  { name: 'status 101', act: (session, id) => raw(session, headers(id, 4, [':status', '101'])) },
  { name: 'an interim answer that ends', act: (session, id) => raw(session, headers(id, 5, [':status', '103'])) },
  { name: 'a field name in upper case', act: (s, id) => raw(s, headers(id, 5, [':status', '200'], ['Server', 'x'])) },
  { name: 'a line feed in a value', act: (s, id) => raw(s, headers(id, 5, [':status', '200'], ['server', 'a\nb'])) },
  { name: 'a connection field', act: (s, id) => raw(s, headers(id, 5, [':status', '200'], ['connection', 'close'])) },
  {
    name: 'interim answers without end',
    act: (session, id) => {
      for (let i = 0; i < 20; i++) session.writer.headers(id, blockOf([':status', '103']), false);
    },
  },
  {
    name: 'trailers without END_STREAM',
    act: (session, id) => raw(session, headers(id, 4, [':status', '200']), headers(id, 4, ['checksum', '1'])),
  },
  {
    name: 'a pseudo-header field in trailers',
    act: (session, id) => raw(session, headers(id, 4, [':status', '200']), headers(id, 5, [':status', '200'])),
  },
  {
    name: 'more DATA than its content-length',
    act: (s, id) => raw(s, headers(id, 4, [':status', '200'], ['content-length', '3']), data(id, 4)),
  },
  {
    name: 'less DATA than its content-length',
    act: (s, id) => raw(s, headers(id, 4, [':status', '200'], ['content-length', '3']), data(id, 2, 1)),
  },
  {
    name: 'no DATA in spite of its content-length',
    act: (s, id) => raw(s, headers(id, 5, [':status', '200'], ['content-length', '3'])),
  },
  {
    name: 'trailers before all of its content-length',
    act: (s, id) =>
      raw(
        s,
        headers(id, 4, [':status', '200'], ['content-length', '3']),
        data(id, 2),
        headers(id, 5, ['checksum', '1']),
      ),
  },
  {
    name: 'content in the answer to HEAD',
    method: 'HEAD',
    act: (s, id) => raw(s, headers(id, 4, [':status', '200']), data(id, 1, 1)),
  },
  { name: 'content with status 204', act: (s, id) => raw(s, headers(id, 4, [':status', '204']), data(id, 1, 1)) },
  {
    name: 'a head with too many fields',
    act: (session, id) => {
      const fields = Array.from({ length: 200 }, (_, i): [string, string] => [`filler-${i}`, 'x']);
      session.writer.headers(id, blockOf([':status', '200'], ...fields), END);
    },
  },
  {
    name: 'more DATA than the window of the stream',
    act: (session, id) => {
      raw(session, headers(id, 4, [':status', '200']), ...Array.from({ length: 17 }, () => data(id, 16_384)));
    },
  },
  { name: 'WINDOW_UPDATE of 0', act: (session, id) => raw(session, frame(FrameType.windowUpdate, 0, id, uint32(0))) },
  {
    name: 'a window of the stream beyond 2^31-1',
    act: (s, id) => raw(s, frame(FrameType.windowUpdate, 0, id, uint32(0x7fffffff))),
  },
  {
    name: 'a window of the connection beyond 2^31-1',
    act: (session) => raw(session, frame(FrameType.windowUpdate, 0, 0, uint32(0x7fffffff))),
    goaway: flowControlError,
  },
  {
    name: 'PUSH_PROMISE',
    act: (session, id) => raw(session, frame(5, 4, id, Buffer.concat([uint32(2), literals([':method', 'GET'])]))),
    goaway: protocolError,
  },
  {
    name: 'HEADERS on a stream of its own',
    act: (s) => raw(s, headers(2, 5, [':status', '200'])),
    goaway: protocolError,
  },
  {
    name: 'HEADERS on a stream that nobody opened',
    act: (s) => raw(s, headers(99, 5, [':status', '200'])),
    goaway: protocolError,
  },
  { name: 'DATA on a stream that nobody opened', act: (s) => raw(s, data(99, 1)), goaway: protocolError },
  {
    name: 'a header block that is none',
    act: (s, id) => raw(s, frame(FrameType.headers, 5, id, [0xff, 0xff, 0xff, 0xff, 0xff])),
    goaway: compressionError,
  },
  {
    name: 'an index that no table has',
    act: (s, id) => raw(s, frame(FrameType.headers, 5, id, [0xbe + 20])),
    goaway: compressionError,
  },
  { name: 'a frame that is too large', act: (s, id) => raw(s, data(id, 16_385)), goaway: frameSizeError },
  {
    name: 'SETTINGS with a window beyond 2^31-1',
    act: (s) => raw(s, frame(FrameType.settings, 0, 0, [0, 4, 0x80, 0, 0, 0])),
    goaway: flowControlError,
  },
  {
    name: 'a CONTINUATION without a beginning',
    act: (s, id) => raw(s, frame(FrameType.continuation, 4, id, [])),
    goaway: protocolError,
  },
  {
    name: 'another frame within a header block',
    act: (s, id) => raw(s, headers(id, 0, [':status', '200']), data(id, 1)),
    goaway: protocolError,
  },
  {
    name: 'PINGs without end',
    act: (s) => raw(s, ...Array.from({ length: 10_100 }, () => frame(FrameType.ping, 0, 0, Buffer.alloc(8)))),
    goaway: enhanceYourCalm,
  },
  {
    name: 'SETTINGS without end',
    act: (s) => raw(s, ...Array.from({ length: 10_100 }, () => frame(FrameType.settings, 0, 0))),
    goaway: enhanceYourCalm,
  },
  {
    name: 'empty DATA without end',
    act: (s, id) => raw(s, headers(id, 4, [':status', '200']), ...Array.from({ length: 1100 }, () => data(id, 0))),
    goaway: enhanceYourCalm,
  },
  {
    name: 'CONTINUATION without end',
    act: (s, id) =>
      raw(s, headers(id, 0, [':status', '200']), ...Array.from({ length: 20 }, () => frame(9, 0, id, []))),
    goaway: enhanceYourCalm,
  },
];

describe('an instance that breaks the rules', () => {
  const newRig = useUpstreamRig();

  for (const { name, act, goaway, method = 'GET' } of MISDEEDS) {
    it(`fails the call with one end, and harms no other: ${name}`, async () => {
      const rig = newRig();
      const instance = await rig.instance((session, index) => {
        session.onBlock = (streamId, block) => {
          if (block.first(':path') === '/good') session.writer.headers(streamId, OK, END);
          else if (block.first(':path') === '/bad') act(session, streamId);
          else if (index > 0) session.writer.headers(streamId, OK, END);
        };
      });
      const endpoint = rig.endpoint(instance);
      await rig.untilOver([rig.send(endpoint, requestOf('/good'))]);
      const { answer } = rig.send(endpoint, requestOf('/bad', method));
      answer.takes = undefined;
      await rig.untilOver();
      expect(answer.failure?.code, answer.failure?.message).to.equal('MESH_ERR_BAD_UPSTREAM');
      expect(answer.failure?.sent).to.equal(true);
      expect(rig.stats.malformedResponses).to.equal(1);
      const [session] = instance.sessions;
      if (goaway !== undefined) {
        await session.ended;
        expect(session.events.find((event) => event.startsWith('goaway'))).to.match(new RegExp(`^goaway 0 ${goaway} `));
      } else await until(() => session.events.some((event) => event.startsWith('reset 3 ')));
      const next = rig.send(endpoint, requestOf('/good'));
      await rig.untilOver([next]);
      expect(next.answer.status).to.equal('200');
      expect(instance.sessions).to.have.lengthOf(goaway === undefined ? 1 : 2);
    });
  }

  it('is one that speaks HTTP/1: the call was not understood, and what waits does not wait longer', async () => {
    const rig = newRig();
    const instance = await rig.instance((session) => {
      session.output.flush = () => undefined;
      session.socket.write('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n');
    });
    const endpoint = rig.endpoint(instance);
    const sent = [1, 2, 3].map(() => rig.send(endpoint));
    await rig.untilOver();
    for (const { answer } of sent) {
      expect(answer.failure).to.include({ code: 'MESH_ERR_BAD_UPSTREAM', sent: false });
      expect(answer.failure?.message).to.match(/speaks no HTTP\/2, as it seems/);
    }
  });

  it('is one that closes each connection at once: nobody dials for ever', async () => {
    const rig = newRig();
    const instance = await rig.instance((session) => void session.socket.destroy());
    const endpoint = rig.endpoint(instance);
    const sent = [1, 2, 3].map(() => rig.send(endpoint));
    await rig.untilOver();
    expect(sent.every(({ answer }) => answer.failure?.reusedConnection === false)).to.equal(true);
    expect(instance.sessions.length).to.be.lessThan(5);
  });

  it('does no harm to calls of other endpoints', async () => {
    const rig = newRig();
    const bad = await rig.instance((session) => {
      session.onBlock = () => raw(session, frame(FrameType.ping, 0, 1, Buffer.alloc(8)));
    });
    const good = await rig.instance(answerAll);
    const failed = rig.send(rig.endpoint(bad));
    const answered = rig.send(rig.endpoint(good));
    await rig.untilOver();
    expect([failed.answer.failure?.code, answered.answer.status]).to.deep.equal(['MESH_ERR_BAD_UPSTREAM', '200']);
  });

  it('is none that answers before the request is complete, and resets the stream without an error', async () => {
    const rig = newRig();
    const instance = await rig.instance((session) => {
      session.onBlock = (streamId) => {
        session.writer.headers(streamId, OK, false);
        session.writer.data(streamId, Buffer.from('early'), 0, 5, END);
        session.writer.reset(streamId, ErrorCode.noError);
      };
    });
    const { attempt, answer } = rig.send(rig.endpoint(instance), requestOf('/', 'POST'), false);
    attempt.data(Buffer.alloc(100_000), 0, 100_000, true);
    await rig.untilOver();
    await until(() => rig.stats.http2Upstream.streams === 0);
    expect(answer.events.slice(-2)).to.deep.equal(['head 200', 'end']);
    expect(answer.body).to.equal('early');
    expect(rig.stats.malformedResponses).to.equal(0);
  });

  it('is none that announces the length of what HEAD and 304 leave out', async () => {
    const rig = newRig();
    const instance = await rig.instance((session) => {
      session.onBlock = (streamId, block) => {
        const status = block.first(':method') === 'HEAD' ? '200' : '304';
        session.writer.headers(streamId, blockOf([':status', status], ['content-length', '1000']), END);
      };
    });
    const endpoint = rig.endpoint(instance);
    const sent = [rig.send(endpoint, requestOf('/', 'HEAD')), rig.send(endpoint)];
    await rig.untilOver();
    expect(sent.map(({ answer }) => answer.status)).to.deep.equal(['200', '304']);
  });

  it('passes on interim answers and trailers that are as they should be', async () => {
    const rig = newRig();
    const instance = await startRawInstance((session) => {
      session.onBlock = (streamId) => {
        session.writer.headers(streamId, blockOf([':status', '103'], ['link', '</a>']), false);
        session.writer.headers(streamId, OK, false);
        session.writer.data(streamId, Buffer.from('body'), 0, 4, false);
        session.writer.headers(streamId, blockOf(['grpc-status', '0']), END);
      };
    });
    const { answer } = rig.send(rig.endpoint(instance));
    await rig.untilOver();
    expect(answer.events.slice(-4)).to.deep.equal(['interim 103', 'head 200', 'trailers grpc-status=0', 'end']);
    await instance.close();
  });
});
