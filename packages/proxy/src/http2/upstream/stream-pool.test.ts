import { expect } from 'chai';
import { Endpoint } from '@mesher/core';
import { settleSockets, until } from '../../testing/proxy-rig.js';
import { Setting } from '../frames/frame-format.js';
import type { RawSession } from '../testing/raw-session.js';
import { RecordedAnswer } from '../testing/recorded-answer.js';
import { answerAll, blockOf, OK, RefusedError, requestOf, useUpstreamRig, type Sent } from '../testing/upstream-rig.js';

const MAX_STREAMS = Setting.maxConcurrentStreams;

describe('the HTTP/2 connections to an endpoint', () => {
  const newRig = useUpstreamRig();

  it('carry one request until the SETTINGS of the instance have come, and then as many as those allow', async () => {
    const rig = newRig();
    const instance = await rig.instance(undefined, [[MAX_STREAMS, 3]]);
    const endpoint = rig.endpoint(instance);
    const sent = [1, 2, 3, 4].map(() => rig.send(endpoint));
    expect(rig.pool(endpoint).waiting).to.equal(4);
    await until(() => instance.sessions[0]?.blocks.length === 3);
    await until(() => instance.sessions[1]?.blocks.length === 1);
    expect(sent.map(({ attempt }) => attempt.isBegun)).to.deep.equal([true, true, true, true]);
    expect(sent[0].answer.events).to.deep.equal(['reached', 'begun']);
  });

  it('are filled before another one is made, and then the least loaded one is used', async () => {
    const rig = newRig({ maxUpstreamStreams: 2 });
    const instance = await rig.instance();
    const endpoint = rig.endpoint(instance);
    for (let i = 0; i < 3; i++) rig.send(endpoint);
    await until(() => instance.sessions[1]?.blocks.length === 1);
    const [first] = instance.sessions;
    first.writer.headers(1, OK, true);
    first.writer.headers(3, OK, true);
    await until(() => rig.stats.http2Upstream.streams === 1);
    rig.send(endpoint);
    await until(() => first.blocks.length === 3);
    expect(instance.sessions).to.have.lengthOf(2);
  });

  it('are bounded in number, and so is the line of those that wait', async () => {
    const rig = newRig({ maxUpstreamStreams: 1, maxUpstreamConnections: 2 }, { maxPendingPerEndpoint: 1 });
    const instance = await rig.instance();
    const endpoint = rig.endpoint(instance);
    rig.send(endpoint);
    rig.send(endpoint);
    await until(() => rig.pool(endpoint).isFull);
    expect(rig.stats.http2Upstream.streams).to.equal(2);
    rig.send(endpoint);
    expect(() => rig.send(endpoint))
      .to.throw(RefusedError)
      .with.property('code', 'MESH_ERR_OVERLOADED');
    await settleSockets();
    expect(instance.sessions).to.have.lengthOf(2);
  });

  it('are waited for although nobody may wait in line', async () => {
    const rig = newRig({}, { maxPendingPerEndpoint: 0 });
    const instance = await rig.instance(answerAll);
    const endpoint = rig.endpoint(instance);
    for (let i = 0; i < 10; i++) rig.send(endpoint);
    await rig.untilOver();
  });

  it('are not multiplied when the instance wants no calls now, and carry what waits once it does', async () => {
    const rig = newRig();
    const instance = await rig.instance(answerAll, [[MAX_STREAMS, 0]]);
    const endpoint = rig.endpoint(instance);
    const sent = [1, 2, 3].map(() => rig.send(endpoint));
    await until(() => sent[0].answer.events.includes('end'));
    await settleSockets();
    expect(rig.pool(endpoint).waiting).to.equal(2);
    rig.send(endpoint);
    await settleSockets();
    expect(instance.sessions).to.have.lengthOf(1);
    instance.sessions[0].writer.settings([[MAX_STREAMS, 10]]);
    await rig.untilOver();
    expect(instance.sessions).to.have.lengthOf(1);
  });

  it('serve a thousand requests at once of which the instance takes eight per connection', async () => {
    const rig = newRig();
    let most = 0;
    const instance = await rig.instance(
      (session) => {
        let open = 0;
        session.onBlock = (streamId) => {
          most = Math.max(most, ++open);
          setImmediate(() => {
            open--;
            session.writer.headers(streamId, OK, true);
          });
        };
      },
      [[MAX_STREAMS, 8]],
    );
    const endpoint = rig.endpoint(instance);
    const sent = Array.from({ length: 1000 }, () => rig.send(endpoint));
    await rig.untilOver();
    expect(sent.every(({ answer }) => answer.status === '200')).to.equal(true);
    expect(most).to.be.within(2, 8);
    expect(instance.sessions).to.have.lengthOf(16);
  });

  it('get the body and the trailers of a request that waited behind its head, in order', async () => {
    const rig = newRig({ maxUpstreamStreams: 1, maxUpstreamConnections: 1 });
    const instance = await rig.instance();
    const endpoint = rig.endpoint(instance);
    rig.send(endpoint);
    await until(() => instance.sessions[0]?.blocks.length === 1);
    const { attempt, answer } = rig.send(endpoint, requestOf('/', 'POST'), false);
    const body = Buffer.from('abcdef');
    attempt.data(body, 0, 3, false);
    attempt.data(body, 3, 6, false);
    attempt.trailers(blockOf(['checksum', '7']));
    body.fill(0);
    expect(attempt.queuedBytes).to.equal(6);
    const [session] = instance.sessions;
    session.events.length = 0;
    session.writer.headers(1, OK, true);
    await until(() => session.blocks.length === 3);
    const hex = (text: string): string => `payload ${Buffer.from(text).toString('hex')}`;
    expect(session.events.filter((event) => event.startsWith('payload'))).to.deep.equal([hex('abcdef')]);
    expect(session.events.at(-1)).to.match(/^headers 3 .* end$/);
    expect(answer.sentBytes).to.equal(6);
  });

  it('never see a request that was cancelled while it waited', async () => {
    const rig = newRig({ maxUpstreamStreams: 1, maxUpstreamConnections: 1 });
    const instance = await rig.instance(answerAll);
    const endpoint = rig.endpoint(instance);
    rig.send(endpoint, requestOf('/first'));
    const { attempt, answer } = rig.send(endpoint, requestOf('/cancelled'));
    const last = rig.send(endpoint, requestOf('/last'));
    attempt.cancel(8);
    attempt.data(Buffer.from('x'), 0, 1, true);
    await rig.untilOver([last]);
    expect(instance.sessions[0].blocks.map((block) => block.first(':path'))).to.deep.equal(['/first', '/last']);
    expect(answer.events).to.deep.equal([]);
  });

  it('fail all that wait when the endpoint cannot be reached', async () => {
    const rig = newRig();
    const instance = await rig.instance();
    const endpoint = rig.endpoint(instance);
    await instance.close();
    const sent = [1, 2, 3].map(() => rig.send(endpoint));
    await rig.untilOver();
    expect(sent.map(({ answer }) => answer.events)).to.deep.equal(sent.map(() => ['failed MESH_ERR_CONNECT']));
    expect(sent[0].answer.failure?.message).to.equal(`connect ECONNREFUSED 127.0.0.1:${instance.port}`);
    expect(rig.stats.upstreamConnectFailures).to.equal(1);
  });

  it('fail what waits when connecting takes too long', async () => {
    const rig = newRig();
    // TEST-NET-1 (RFC 5737): nobody answers, or there is no way to it.
    const { answer } = rig.send(new Endpoint('192.0.2.1', 9, undefined));
    rig.pass(rig.env.options.connectTimeout);
    await until(() => answer.ends === 1);
    expect(answer.failure).to.include({ code: 'MESH_ERR_CONNECT', sent: false });
  });

  it('are made anew after an instance was killed and came back', async () => {
    const rig = newRig();
    const first = await rig.instance();
    const endpoint = rig.endpoint(first);
    const lost = rig.send(endpoint);
    await until(() => first.sessions[0]?.blocks.length === 1);
    await first.close();
    await rig.untilOver([lost]);
    expect(lost.answer.events.at(-1)).to.equal('failed MESH_ERR_UPSTREAM_RESET sent');
    await rig.instance(answerAll, undefined, first.port);
    const next = rig.send(endpoint);
    await rig.untilOver([next]);
    expect(next.answer.status).to.equal('200');
  });

  it('refuse a header list that is larger than the instance takes', async () => {
    const rig = newRig();
    const instance = await rig.instance(answerAll, [[Setting.maxHeaderListSize, 1000]]);
    const endpoint = rig.endpoint(instance);
    const large = requestOf('/', 'GET', ['filler', 'x'.repeat(1000)]);
    const waited = rig.send(endpoint);
    const behind = rig.send(endpoint, large);
    await rig.untilOver([waited, behind]);
    expect(behind.answer.events.at(-1)).to.equal('failed MESH_ERR_HEADER_TOO_LARGE');
    expect(() => rig.send(endpoint, large))
      .to.throw(RefusedError)
      .with.property('code', 'MESH_ERR_HEADER_TOO_LARGE');
  });

  it('tell at SETTINGS whether the instance takes an extended CONNECT, which waits for them', async () => {
    const rig = newRig();
    const extended = blockOf([':method', 'CONNECT'], [':scheme', 'http'], [':path', '/'], [':protocol', 'websocket']);
    const willing = await rig.instance(answerAll, [[Setting.enableConnectProtocol, 1]]);
    const taken = rig.send(rig.endpoint(willing), extended, false);
    const unwilling = await rig.instance(answerAll, []);
    const other = rig.endpoint(unwilling);
    const refused = rig.send(other, extended, false);
    expect(rig.pool(other).takesExtendedConnect).to.equal(undefined);
    await rig.untilOver([taken, refused]);
    expect(taken.answer.status).to.equal('200');
    expect(refused.answer.events.at(-1)).to.equal('failed MESH_ERR_NOT_IMPLEMENTED');
    expect(rig.pool(other).takesExtendedConnect).to.equal(false);
    expect(unwilling.sessions[0].blocks).to.have.lengthOf(0);
  });

  it('tell everybody that the proxy is closing', async () => {
    const rig = newRig({ maxUpstreamStreams: 1, maxUpstreamConnections: 1 });
    const instance = await rig.instance();
    const endpoint = rig.endpoint(instance);
    const [open, waiting]: readonly Sent[] = [rig.send(endpoint), rig.send(endpoint)];
    await until(() => instance.sessions[0]?.blocks.length === 1);
    rig.env.streamPools.closeAll();
    expect(open.answer.events.at(-1)).to.equal('failed MESH_ERR_DRAINING sent');
    expect(waiting.answer.events.at(-1)).to.equal('failed MESH_ERR_DRAINING');
  });

  it('close after their last call once the endpoint has left the registry', async () => {
    const rig = newRig();
    const instance = await rig.instance();
    const endpoint = rig.endpoint(instance);
    const { answer } = rig.send(endpoint);
    await until(() => instance.sessions[0]?.blocks.length === 1);
    endpoint.retired = true;
    rig.env.streamPools.retire(endpoint);
    const session = instance.sessions[0];
    expect(rig.pool(endpoint).draining).to.equal(1);
    session.writer.headers(1, OK, true);
    await session.ended;
    expect(answer.status).to.equal('200');
    expect(session.events).to.include('goaway 0 0 ');
  });

  it('survive a receiver that sends another request from within the failure of the first', async () => {
    const rig = newRig();
    const instance = await rig.instance((session: RawSession, index) => {
      if (index === 0) session.onBlock = () => void session.socket.destroy();
      else answerAll(session);
    });
    const endpoint = rig.endpoint(instance);
    const second = new RecordedAnswer();
    const { answer } = rig.send(endpoint);
    const tellFailure = answer.onAttemptFailed.bind(answer);
    answer.onAttemptFailed = (failure, code): void => {
      tellFailure(failure, code);
      rig.pool(endpoint).open(second, { block: requestOf('/again'), edits: undefined, added: undefined }, true);
    };
    await until(() => second.ends === 1);
    expect(second.status).to.equal('200');
  });
});
