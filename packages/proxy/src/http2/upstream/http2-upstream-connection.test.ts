import { expect } from 'chai';
import { settleSockets, until } from '../../testing/proxy-rig.js';
import { FrameType } from '../frames/frame-format.js';
import { RecordedAnswer } from '../testing/recorded-answer.js';
import { answerAll, requestOf, useUpstreamRig } from '../testing/upstream-rig.js';
import { frame } from '../testing/wire.js';
import { Http2UpstreamConnection, type UpstreamOwner } from './http2-upstream-connection.js';
import { StreamIds } from './stream-ids.js';
import { UpstreamStream } from './upstream-stream.js';

const IGNORING: UpstreamOwner = {
  connected: () => undefined,
  ready: () => undefined,
  roomFreed: () => undefined,
  closed: () => undefined,
};

/** `:status 200` and `grpc-status: 0` as literals without indexing. */
const STATUS = Buffer.from('\x00\x07:status\x03200', 'latin1');
const TRAILER = Buffer.from('\x00\x0bgrpc-status\x010', 'latin1');

describe('a connection to an instance', () => {
  const newRig = useUpstreamRig();

  it('ends after the last id of all', async () => {
    const rig = newRig();
    const instance = await rig.instance(answerAll);
    const endpoint = rig.endpoint(instance);
    const ids = new StreamIds(2 ** 31 - 1);
    const connection = Http2UpstreamConnection.dial(endpoint, IGNORING, rig.env, ids);
    await until(() => connection.peer.hasCome);
    const answer = new RecordedAnswer();
    const head = { block: requestOf('/'), edits: undefined, added: undefined };
    connection.open(new UpstreamStream(rig.pool(endpoint), answer, head, true, rig.env.options.http2));
    expect([connection.state, connection.hasRoom]).to.deep.equal(['draining', false]);
    await instance.sessions[0].ended;
    expect(answer.status).to.equal('200');
    rig.env.streamPools.closeAll();
  });

  it('understands an answer wherever its bytes are cut', async () => {
    const rig = newRig();
    const instance = await rig.instance();
    const endpoint = rig.endpoint(instance);
    const feed = (bytes: Buffer, cuts: readonly number[]): void => {
      const [connection] = [...rig.pool(endpoint).all];
      let from = 0;
      for (const to of [...cuts, bytes.length]) {
        const chunk = Buffer.from(bytes.subarray(from, to));
        connection.read(chunk, 0, chunk.length);
        chunk.fill(0xee); // a chunk is overwritten by the next read
        from = to;
      }
    };
    const answerOf = (id: number): Buffer =>
      Buffer.concat([
        frame(FrameType.headers, 4, id, STATUS),
        frame(FrameType.ping, 0, 0, Buffer.from('12345678')),
        frame(FrameType.data, 0, id, Buffer.from('the ')),
        frame(FrameType.settings, 0, 0, [0, 4, 0, 1, 0, 0]),
        frame(FrameType.data, 8, id, Buffer.from('\x02body\0\0', 'latin1')),
        frame(FrameType.windowUpdate, 0, id, [0, 0, 0, 1]),
        frame(FrameType.headers, 1, id, TRAILER.subarray(0, 5)),
        frame(FrameType.continuation, 4, id, TRAILER.subarray(5)),
      ]);
    rig.send(endpoint);
    await until(() => instance.sessions[0]?.blocks.length === 1);
    await settleSockets();
    const { length } = answerOf(1);
    const cuts = [
      ...Array.from({ length }, (_, at) => [at]),
      Array.from({ length }, (_, at) => at),
      Array.from({ length: Math.floor(length / 3) }, (_, at) => at * 3),
    ];
    let id = 1;
    for (const cut of cuts) {
      id += 2;
      const { answer } = rig.send(endpoint);
      feed(answerOf(id), cut);
      expect([answer.body, ...answer.events]).to.deep.equal(['the body', 'head 200', 'trailers grpc-status=0', 'end']);
    }
  });
});
