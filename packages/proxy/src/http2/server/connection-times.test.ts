import { expect } from 'chai';
import { CLIENT_PREFACE } from '../frames/frame-format.js';
import { ErrorCode } from '../error-codes.js';
import { GET, data, get, headers, post } from '../testing/server-case.js';
import { ServerRig } from '../testing/server-rig.js';
import { EMPTY_SETTINGS, frame } from '../testing/wire.js';

const LIMITS = {
  prefaceTimeout: 1000,
  headerTimeout: 2000,
  settingsTimeout: 3000,
  idleTimeout: 60_000,
  pingInterval: 10_000,
  pingTimeout: 4000,
};

describe('the times of an HTTP/2 connection', () => {
  let rig: ServerRig;

  beforeEach(() => {
    rig = new ServerRig({ limits: LIMITS, answer: () => undefined });
  });

  afterEach(() => {
    for (const connection of [...rig.open]) connection.destroy();
    rig.pass(100_000);
    expect(rig.pendingTimers, 'timers left').to.equal(0);
  });

  it('end one whose preface or SETTINGS do not come', () => {
    for (const beginning of [CLIENT_PREFACE.subarray(0, 10), CLIENT_PREFACE]) {
      const client = rig.connect().send(beginning);
      rig.pass(LIMITS.prefaceTimeout - 200);
      expect(client.isOver).to.equal(false);
      rig.pass(200);
      expect(client.hear().seen.goaways).to.deep.equal([ErrorCode.protocolError]);
    }
    expect(rig.violations('preface-timeout')).to.equal(2);
  });

  it('end one that does not acknowledge our SETTINGS', () => {
    const client = rig.connect().send(CLIENT_PREFACE, EMPTY_SETTINGS, get(1));
    rig.pass(LIMITS.settingsTimeout);
    expect(client.hear().seen.goaways).to.deep.equal([ErrorCode.settingsTimeout]);
    expect(rig.calls[0].isGone, 'the call was told').to.equal(true);
    expect(rig.violations('settings-timeout')).to.equal(1);
  });

  it('end one that does not complete a header block, however many pieces of it come', () => {
    const client = rig
      .connect()
      .greet()
      .send(headers(1, 1, ...GET));
    for (let passed = 0; passed < LIMITS.headerTimeout; passed += 500) {
      expect(client.isOver, `after ${passed} ms`).to.equal(false);
      client.send(frame(9, 0, 1));
      rig.pass(350);
    }
    rig.pass(200);
    expect(client.hear().seen.goaways).to.deep.equal([ErrorCode.protocolError]);
    expect(rig.violations('frame-timeout')).to.equal(1);
  });

  it('end one that stops within a frame, but none that is slow from frame to frame', () => {
    const client = rig.connect().greet().send(post(1));
    const bytes = data(1, 'hello', 0);
    for (let i = 0; i < 8; i++) {
      client.send(bytes.subarray(0, 11));
      rig.pass(1000);
      expect(client.isOver).to.equal(false);
      client.send(bytes.subarray(11), bytes.subarray(0, 2));
      rig.pass(1000);
      expect(client.isOver).to.equal(false);
      client.send(bytes.subarray(2));
    }
    expect(rig.calls[0].received).to.equal(8 * 2 * 5);
    client.send(bytes.subarray(0, 11));
    rig.pass(LIMITS.headerTimeout);
    expect(client.hear().seen.goaways).to.deep.equal([ErrorCode.protocolError]);
  });

  it('let one go that has no calls, and tell it so before', () => {
    const client = rig.connect().greet();
    rig.pass(LIMITS.idleTimeout - 200);
    expect(client.hear().seen.goaways).to.deep.equal([]);
    rig.pass(200);
    client.hear();
    const [ping] = client.seen.of(6, 0);
    expect(client.seen.goaways).to.deep.equal([0]);
    expect(client.isOver).to.equal(false);
    client.send(frame(6, 1, 0, ping.payload));
    expect(client.seen.goaways).to.deep.equal([0, 0]);
    expect(client.isOver).to.equal(true);
    expect([...rig.stats.http2Violations]).to.deep.equal([]);
  });

  it('leave one alone as long as it has calls and answers our PING', () => {
    const client = rig.connect().greet().send(get(1));
    for (let i = 1; i <= 10; i++) {
      rig.pass(LIMITS.pingInterval);
      const pings = client.hear().seen.of(6, 0);
      expect(pings).to.have.lengthOf(i);
      client.send(frame(6, 1, 0, pings[i - 1].payload));
      rig.pass(LIMITS.pingTimeout);
    }
    expect(client.isOver).to.equal(false);
    rig.calls[0].reply(10);
    expect(client.hear().seen.isEnded(1)).to.equal(true);
  });

  it('end one that has calls and answers nothing', () => {
    const client = rig.connect().greet().send(get(1));
    rig.pass(LIMITS.pingInterval);
    expect(client.hear().seen.of(6, 0)).to.have.lengthOf(1);
    rig.pass(LIMITS.pingTimeout);
    expect(client.socket.destroyed).to.equal(true);
    expect(rig.calls[0].isGone).to.equal(true);
    expect(rig.violations('ping-timeout')).to.equal(1);
  });

  it('send no PING where that is switched off', () => {
    const quiet = new ServerRig({ limits: { ...LIMITS, pingInterval: 0 }, answer: () => undefined });
    const client = quiet.connect().greet().send(get(1));
    quiet.pass(1_000_000);
    expect(client.hear().seen.of(6, 0)).to.deep.equal([]);
    expect(client.isOver).to.equal(false);
    client.connection.destroy();
  });

  it('close a socket whose client does not close it after GOAWAY', () => {
    const client = rig
      .connect()
      .greet()
      .send(frame(9, 4, 1));
    expect([client.socket.ended, client.socket.destroyed]).to.deep.equal([true, false]);
    rig.pass(2000);
    expect(client.socket.destroyed).to.equal(true);
    expect(rig.open.size).to.equal(0);
  });
});

describe('a drained HTTP/2 connection', () => {
  it('takes the calls that were on their way, and no others', () => {
    const rig = new ServerRig({ answer: () => undefined });
    const client = rig.connect().greet().send(get(1));
    client.connection.drain();
    client.hear();
    const [goaway] = client.seen.of(7, 0);
    expect(goaway.payload.readUInt32BE(0), 'any id').to.equal(0x7fff_ffff);
    client.send(get(3));
    const [ping] = client.seen.of(6, 0);
    client.send(frame(6, 1, 0, ping.payload), get(5));
    expect(client.seen.of(7, 0)[1].payload.readUInt32BE(0), 'last id').to.equal(3);
    expect(rig.calls.map(({ stream }) => stream.id)).to.deep.equal([1, 3]);
    expect(client.isOver).to.equal(false);
    rig.calls[0].reply(1);
    rig.calls[1].reply(1);
    expect(client.hear().isOver).to.equal(true);
    expect([client.seen.isEnded(1), client.seen.isEnded(3)]).to.deep.equal([true, true]);
    client.connection.destroy();
  });

  it('waits only so long for its client to have seen it', () => {
    const rig = new ServerRig({ options: { drainGrace: 500 } });
    const client = rig.connect().greet();
    client.connection.drain();
    client.connection.drain();
    rig.pass(500);
    expect(client.hear().seen.goaways).to.deep.equal([0, 0]);
    expect(client.isOver).to.equal(true);
    client.connection.destroy();
  });

  it('closes after the last call of a client that has said goodbye', () => {
    const rig = new ServerRig({ answer: () => undefined });
    const client = rig
      .connect()
      .greet()
      .send(get(1), frame(7, 0, 0, Buffer.alloc(8)));
    expect(client.isOver).to.equal(false);
    rig.calls[0].reply(1);
    expect(client.hear().isOver).to.equal(true);
    client.connection.destroy();
  });

  it('leaves a slow client the time to fetch the end of its last answer', () => {
    const rig = new ServerRig({ answer: (call) => call.reply(60_000) });
    const client = rig.connect().greet();
    client.socket.isStuck = true;
    client.send(get(1), frame(7, 0, 0, Buffer.alloc(8)));
    expect([client.isOver, client.connection.openStreams]).to.deep.equal([true, 0]);
    rig.pass(60_000);
    expect(client.socket.destroyed).to.equal(false);
    client.socket.drain();
    client.connection.onEnd();
    expect(client.socket.destroyed).to.equal(true);
    rig.pass(0);
    expect(rig.pendingTimers).to.equal(0);
  });
});
