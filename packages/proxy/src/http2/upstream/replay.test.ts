import { expect } from 'chai';
import { settleSockets, until } from '../../testing/proxy-rig.js';
import { ErrorCode } from '../error-codes.js';
import { Setting } from '../frames/frame-format.js';
import type { RawSession } from '../testing/raw-session.js';
import { answerAll, OK, requestOf, useUpstreamRig } from '../testing/upstream-rig.js';

const { noError, refusedStream } = ErrorCode;
/** The last stream of a GOAWAY that only announces another one (RFC 9113, 6.8). */
const ALL_STREAMS = 2 ** 31 - 1;

/** Answers `count` requests, each in a turn of its own, and says GOAWAY behind the last of them. */
function answerAndGo(session: RawSession, count: number): void {
  let answered = 0;
  let last = Infinity;
  session.onBlock = (streamId) => {
    if (streamId > last) return;
    if (++answered === count) session.writer.goaway((last = streamId), noError);
    setImmediate(() => session.writer.headers(streamId, OK, true));
  };
}

describe('a request that its instance has not looked at', () => {
  const newRig = useUpstreamRig();

  it('goes over another connection when GOAWAY leaves it out, while those before it are answered', async () => {
    const rig = newRig();
    const instance = await rig.instance((session, index) => {
      if (index > 0) answerAll(session);
    });
    const endpoint = rig.endpoint(instance);
    const first = rig.send(endpoint);
    await until(() => rig.pool(endpoint).waiting === 0);
    const others = [rig.send(endpoint), rig.send(endpoint)];
    await until(() => instance.sessions[0]?.blocks.length === 3);
    const [session] = instance.sessions;
    session.writer.goaway(1, noError);
    await rig.untilOver(others);
    session.writer.headers(1, OK, true);
    await rig.untilOver([first]);
    await session.ended;
    expect([first, ...others].map(({ answer }) => answer.status)).to.deep.equal(['200', '200', '200']);
    expect(rig.stats.http2Upstream).to.include({ replayed: 2, goaways: 1 });
  });

  it('stays where it is when GOAWAY only announces another one, and nothing new goes there', async () => {
    const rig = newRig();
    const instance = await rig.instance((session, index) => {
      if (index > 0) answerAll(session);
    });
    const endpoint = rig.endpoint(instance);
    const first = rig.send(endpoint);
    await until(() => instance.sessions[0]?.blocks.length === 1);
    const [session] = instance.sessions;
    session.writer.goaway(ALL_STREAMS, noError);
    await until(() => rig.pool(endpoint).draining === 1);
    const second = rig.send(endpoint);
    await rig.untilOver([second]);
    session.writer.headers(1, OK, true);
    await rig.untilOver([first]);
    expect(first.answer.status).to.equal('200');
    expect(session.blocks).to.have.lengthOf(1);
  });

  it('takes its body along that has not left', async () => {
    const rig = newRig();
    let body = '';
    const instance = await rig.instance(
      (session, index) => {
        session.onBlock = (streamId) => void (index > 0 && session.writer.windowUpdate(streamId, 100));
        session.dataPiece = (buffer, start, end, isLast): void => {
          body += buffer.toString('latin1', start, end);
          if (isLast) session.writer.headers(1, OK, true);
        };
      },
      [[Setting.initialWindowSize, 0]],
    );
    const { attempt, answer } = rig.send(rig.endpoint(instance), requestOf('/', 'POST'), false);
    await until(() => instance.sessions[0]?.blocks.length === 1);
    await settleSockets();
    attempt.data(Buffer.from('all of it'), 0, 9, true);
    instance.sessions[0].writer.goaway(0, noError);
    await rig.untilOver();
    expect([answer.status, body]).to.deep.equal(['200', 'all of it']);
  });

  it('fails as one that may be sent again when part of its body has left', async () => {
    const rig = newRig();
    const instance = await rig.instance((session) => {
      session.onBlock = (streamId, block) => {
        if (block.first(':path') === '/first') session.writer.headers(streamId, OK, true);
      };
      session.dataPiece = () => session.writer.goaway(1, noError);
    });
    const endpoint = rig.endpoint(instance);
    await rig.untilOver([rig.send(endpoint, requestOf('/first'))]);
    const { attempt, answer } = rig.send(endpoint, requestOf('/', 'POST'), false);
    attempt.data(Buffer.from('part'), 0, 4, false);
    await rig.untilOver();
    expect(answer.events.at(-1)).to.equal('failed MESH_ERR_UPSTREAM_RESET reused');
    expect(answer.failure?.message).to.match(/has refused the call$/);
  });

  it('is sent three times more and then fails when the instance refuses everything', async () => {
    const rig = newRig();
    const instance = await rig.instance((session) => {
      session.onBlock = (streamId) => session.writer.reset(streamId, refusedStream);
    });
    const { answer } = rig.send(rig.endpoint(instance));
    await rig.untilOver();
    expect(answer.events.at(-1)).to.equal('failed MESH_ERR_UPSTREAM_RESET');
    expect(answer.resetCode).to.equal(refusedStream);
    expect(instance.sessions[0].blocks).to.have.lengthOf(4);
    expect(rig.stats.http2Upstream).to.include({ refused: 4, replayed: 3 });
  });

  it('waits for a call to end when the instance has refused it beside others', async () => {
    const rig = newRig({ maxUpstreamConnections: 1 });
    let open = 0;
    const instance = await rig.instance((session) => {
      session.onBlock = (streamId) => {
        if (open === 2) session.writer.reset(streamId, refusedStream);
        else {
          open++;
          setImmediate(() => {
            open--;
            session.writer.headers(streamId, OK, true);
          });
        }
      };
    });
    const endpoint = rig.endpoint(instance);
    const sent = Array.from({ length: 20 }, () => rig.send(endpoint));
    await rig.untilOver();
    const failed = sent.filter(({ answer }) => answer.failure !== undefined);
    expect(failed.every(({ answer }) => answer.failure?.sent === false)).to.equal(true);
    expect(rig.stats.http2Upstream.refused).to.be.greaterThan(0);
  });

  it('is not sent again once it has been answered in part, or was reset for another reason', async () => {
    const rig = newRig();
    const instance = await rig.instance((session) => {
      session.onBlock = (streamId, block) => {
        if (block.first(':path') === '/begun') session.writer.headers(streamId, OK, false);
        session.writer.reset(streamId, block.first(':path') === '/begun' ? refusedStream : ErrorCode.internalError);
      };
    });
    const endpoint = rig.endpoint(instance);
    const begun = rig.send(endpoint, requestOf('/begun'));
    const reset = rig.send(endpoint, requestOf('/reset'));
    await rig.untilOver();
    expect(begun.answer.events.at(-1)).to.equal('failed MESH_ERR_UPSTREAM_RESET sent');
    expect(reset.answer.events.at(-1)).to.equal('failed MESH_ERR_UPSTREAM_RESET sent');
    expect(reset.answer.resetCode).to.equal(ErrorCode.internalError);
  });

  it('counts as one on a dead connection when nothing was heard since, and else as one that was looked at', async () => {
    const rig = newRig();
    const instance = await rig.instance((session) => {
      session.onBlock = (streamId, block) => {
        if (block.first(':path') === '/good') session.writer.headers(streamId, OK, true);
      };
    });
    const endpoint = rig.endpoint(instance);
    const ends: (string | undefined)[] = [];
    for (const isHeard of [false, true]) {
      await rig.untilOver([rig.send(endpoint, requestOf('/good'))]);
      await settleSockets();
      const { answer } = rig.send(endpoint);
      const session = instance.sessions[instance.sessions.length - 1];
      await until(() => session.blocks.length === 2);
      if (isHeard) session.writer.windowUpdate(0, 1);
      await settleSockets();
      session.socket.destroy();
      await until(() => answer.ends === 1);
      ends.push(answer.events.at(-1));
    }
    expect(ends).to.deep.equal(['failed MESH_ERR_UPSTREAM_RESET sent reused', 'failed MESH_ERR_UPSTREAM_RESET sent']);
  });

  it('is never lost although the instance goes away after every hundred requests', async () => {
    const rig = newRig();
    const instance = await rig.instance((session) => answerAndGo(session, 100));
    const endpoint = rig.endpoint(instance);
    const answers = [];
    for (let i = 0; i < 100; i++) {
      const batch = Array.from({ length: 30 }, () => rig.send(endpoint));
      await rig.untilOver(batch);
      answers.push(...batch.map(({ answer }) => answer.events.at(-1)));
    }
    expect(new Set(answers)).to.deep.equal(new Set(['end']));
    expect(rig.stats.http2Upstream.goaways).to.be.greaterThan(20);
    expect(rig.stats.http2Upstream.replayed).to.be.greaterThan(0);
  });

  it('fails when each connection goes away before it looks at anything', async () => {
    const rig = newRig();
    const instance = await rig.instance((session) => {
      session.onBlock = () => session.writer.goaway(0, noError);
    });
    const { answer } = rig.send(rig.endpoint(instance));
    await rig.untilOver();
    expect(answer.events.at(-1)).to.equal('failed MESH_ERR_UPSTREAM_RESET');
    expect(instance.sessions).to.have.lengthOf(4);
  });

  it('goes over another connection when the one it was put on breaks before it was written', async () => {
    const rig = newRig();
    const instance = await rig.instance(answerAll);
    const endpoint = rig.endpoint(instance);
    await rig.untilOver([rig.send(endpoint)]);
    const { answer } = rig.send(endpoint);
    const [connection] = [...rig.pool(endpoint).all];
    connection.onClose();
    await rig.untilOver();
    expect(answer.status).to.equal('200');
    expect(rig.stats.http2Upstream.replayed).to.equal(1);
  });
});
