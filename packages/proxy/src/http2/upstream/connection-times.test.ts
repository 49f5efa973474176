import { expect } from 'chai';
import { settleSockets, until } from '../../testing/proxy-rig.js';
import { answerAll, OK, requestOf, startRawInstance, useUpstreamRig } from '../testing/upstream-rig.js';
import type { RawSession } from '../testing/raw-session.js';

const pings = (session: RawSession): number => session.events.filter((event) => /^ping .*[^r]$/.test(event)).length;

describe('the times of a connection to an instance', () => {
  const newRig = useUpstreamRig();

  it('end it when it has been idle for long', async () => {
    const rig = newRig();
    const instance = await rig.instance(answerAll);
    const endpoint = rig.endpoint(instance);
    await rig.untilOver([rig.send(endpoint)]);
    rig.pass(rig.env.options.http2.upstreamIdleTimeout / 2);
    expect(rig.stats.http2Upstream.open).to.equal(1);
    rig.pass(rig.env.options.http2.upstreamIdleTimeout / 2);
    expect(rig.stats.http2Upstream.open).to.equal(0);
    await instance.sessions[0].ended;
    expect(instance.sessions[0].events).to.include('goaway 0 0 ');
  });

  it('end one that nobody needed once it was there', async () => {
    const rig = newRig();
    const instance = await rig.instance();
    const { attempt } = rig.send(rig.endpoint(instance));
    attempt.cancel(8);
    await until(() => rig.stats.http2Upstream.open === 1 && instance.sessions[0]?.events.includes('settings end'));
    await settleSockets();
    rig.pass(rig.env.options.http2.upstreamIdleTimeout);
    expect(rig.stats.http2Upstream.open).to.equal(0);
  });

  it('give up an instance that sends no SETTINGS, with everything that waits for it', async () => {
    const rig = newRig();
    const instance = await rig.instance((session) => {
      session.output.flush = () => undefined;
    });
    const endpoint = rig.endpoint(instance);
    const sent = [rig.send(endpoint), rig.send(endpoint)];
    await until(() => instance.sessions[0]?.blocks.length === 1);
    rig.pass(rig.env.options.http2.prefaceTimeout);
    expect(sent.map(({ answer }) => answer.events.at(-1))).to.deep.equal([
      'failed MESH_ERR_UPSTREAM_RESET sent',
      'failed MESH_ERR_UPSTREAM_RESET',
    ]);
    expect(sent[1].answer.failure?.message).to.match(/sent no SETTINGS of HTTP\/2 within 10000 ms/);
  });

  it('replace it by age without a wait and without harm to the calls on it', async () => {
    const rig = newRig({ maxConnectionAge: 20_000 });
    const instance = await rig.instance((session, index) => {
      session.onBlock = (streamId, block) => {
        if (block.first(':path') !== '/long' || index > 0) session.writer.headers(streamId, OK, true);
      };
    });
    const endpoint = rig.endpoint(instance);
    const long = rig.send(endpoint, requestOf('/long'));
    await until(() => instance.sessions[0]?.blocks.length === 1);
    await settleSockets();
    rig.pass(20_000);
    const during = rig.send(endpoint, requestOf('/during'));
    expect(during.attempt.isBegun).to.equal(true);
    await until(() => rig.pool(endpoint).draining === 1);
    const after = rig.send(endpoint, requestOf('/after'));
    await rig.untilOver([during, after]);
    const [old, fresh] = instance.sessions;
    expect(old.blocks.map((block) => block.first(':path'))).to.deep.equal(['/long', '/during']);
    expect(fresh.blocks.map((block) => block.first(':path'))).to.deep.equal(['/after']);
    old.writer.headers(1, OK, true);
    await rig.untilOver([long]);
    await old.ended;
    expect(long.answer.status).to.equal('200');
  });

  it('keep one that is too old while no other can be had, and try again after a second', async () => {
    const rig = newRig({ maxConnectionAge: 20_000, upstreamIdleTimeout: 3_600_000 });
    const instance = await rig.instance(answerAll);
    const endpoint = rig.endpoint(instance);
    await rig.untilOver([rig.send(endpoint)]);
    await instance.refuse();
    await settleSockets();
    rig.pass(20_000);
    for (let i = 0; i < 10; i++) {
      const sent = rig.send(endpoint);
      await rig.untilOver([sent]);
      await settleSockets();
      expect(sent.answer.status).to.equal('200');
    }
    expect(rig.stats.upstreamConnects).to.equal(2);
    rig.pass(1000);
    await rig.untilOver([rig.send(endpoint)]);
    expect(rig.stats.upstreamConnects).to.equal(3);
  });

  it('ask an instance with calls that is silent, and leave it alone when it answers', async () => {
    const rig = newRig();
    const instance = await rig.instance((session) => {
      session.ping = (buffer, start, isAnswer): void => {
        session.events.push('ping');
        if (!isAnswer) session.writer.ping(buffer, start, true);
      };
    });
    rig.send(rig.endpoint(instance));
    await until(() => instance.sessions[0]?.blocks.length === 1);
    const [session] = instance.sessions;
    await settleSockets();
    rig.pass(rig.env.options.http2.pingInterval);
    await until(() => session.events.includes('ping'));
    await settleSockets();
    rig.pass(rig.env.options.http2.pingTimeout);
    expect(rig.stats.http2Upstream).to.include({ open: 1, streams: 1, unanswered: 0 });
  });

  it('give up an instance that does not answer a PING, with its calls', async () => {
    const rig = newRig();
    const instance = await rig.instance();
    const { answer } = rig.send(rig.endpoint(instance));
    await until(() => instance.sessions[0]?.blocks.length === 1);
    await settleSockets();
    rig.pass(rig.env.options.http2.pingInterval);
    await until(() => pings(instance.sessions[0]) === 1);
    rig.pass(rig.env.options.http2.pingTimeout);
    expect(answer.events.at(-1)).to.equal('failed MESH_ERR_UPSTREAM_RESET sent');
    expect(answer.failure?.message).to.match(/did not answer a PING within 10000 ms$/);
    expect(rig.stats.http2Upstream.unanswered).to.equal(1);
  });

  it('find a dead instance although each call is given up before the question', async () => {
    const rig = newRig();
    const instance = await rig.instance();
    const endpoint = rig.endpoint(instance);
    rig.send(endpoint).attempt.cancel(8);
    await until(() => rig.stats.http2Upstream.open === 1);
    await settleSockets();
    const [connection] = [...rig.pool(endpoint).all];
    for (let i = 0; i < 16 && !connection.isOver; i++) {
      const { attempt } = rig.send(endpoint);
      rig.pass(2000);
      await settleSockets();
      attempt.cancel(8);
      rig.pass(1000);
    }
    expect(rig.stats.http2Upstream.unanswered).to.equal(1);
  });

  it('end an idle connection also where nobody asks, and after calls that were given up', async () => {
    for (const pingInterval of [0, 30_000]) {
      const rig = newRig({ pingInterval });
      const instance = await rig.instance();
      const { attempt } = rig.send(rig.endpoint(instance));
      await until(() => instance.sessions[0]?.blocks.length === 1);
      await settleSockets();
      attempt.cancel(8);
      await settleSockets();
      rig.pass(rig.env.options.http2.upstreamIdleTimeout + 1000);
      expect(rig.stats.http2Upstream.open).to.equal(0);
      await rig.close();
    }
  });

  it('ask no instance without calls', async () => {
    const rig = newRig({ upstreamIdleTimeout: 3_600_000 });
    const instance = await rig.instance(answerAll);
    await rig.untilOver([rig.send(rig.endpoint(instance))]);
    rig.pass(600_000);
    await settleSockets();
    expect(pings(instance.sessions[0])).to.equal(0);
  });

  it('end what is left of a request that was answered when the instance does not take it', async () => {
    const rig = newRig();
    const instance = await rig.instance((session) => {
      session.onBlock = (streamId) => session.writer.headers(streamId, OK, true);
    });
    const { attempt, answer } = rig.send(rig.endpoint(instance), requestOf('/', 'POST'), false);
    attempt.data(Buffer.alloc(100_000), 0, 100_000, true);
    await rig.untilOver();
    expect(rig.stats.http2Upstream.streams).to.equal(1);
    rig.pass(rig.env.options.requestIdleTimeout);
    expect(rig.stats.http2Upstream.streams).to.equal(0);
    expect(answer.events.at(-1)).to.equal('end');
  });

  it('leave no timer behind', async () => {
    const rig = newRig();
    const instance = await startRawInstance(answerAll);
    await rig.untilOver([rig.send(rig.endpoint(instance))]);
    await instance.close();
    await until(() => rig.stats.upstreamOpen === 0);
    rig.pass(100);
    expect(rig.time.pendingTimers).to.equal(0);
  });
});
