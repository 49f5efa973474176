import { expect } from 'chai';
import { CLIENT_PREFACE } from '../frames/frame-format.js';
import { FRAME_CASES } from '../testing/frame-cases.js';
import { MESSAGE_CASES } from '../testing/message-cases.js';
import type { ServerCase } from '../testing/server-case.js';
import { ANSWER_BYTES, ServerRig, type TestClient } from '../testing/server-rig.js';
import { EMPTY_SETTINGS, frame } from '../testing/wire.js';

const CASES: readonly ServerCase[] = [...FRAME_CASES, ...MESSAGE_CASES];
const SETTINGS_ACK = frame(4, 1, 0);
/** Larger cases are floods, for which single bytes would take long. */
const MOST_BYTES = 2000;

function expectOutcome(rig: ServerRig, client: TestClient, wanted: ServerCase): void {
  const { seen } = client;
  if (wanted.goaway !== undefined) {
    expect(seen.goaways, 'codes of GOAWAY').to.deep.equal([wanted.goaway]);
    expect(client.isOver, 'connection ended').to.equal(true);
  } else {
    expect(seen.goaways, 'codes of GOAWAY').to.deep.equal([]);
    expect(client.isOver, 'connection ended').to.equal(false);
  }
  if (wanted.reset !== undefined) expect(seen.resetOf(1), 'code of RST_STREAM').to.equal(wanted.reset);
  for (const id of wanted.answered ?? []) {
    expect(seen.isAnswered(id), `answer on ${id}`).to.equal(true);
    expect(seen.isEnded(id), `end of ${id}`).to.equal(true);
    expect(seen.resetOf(id), `reset of ${id}`).to.equal(undefined);
    if (wanted.counted === undefined) expect(seen.dataOf(id)).to.deep.equal([ANSWER_BYTES]);
  }
  if (wanted.check !== undefined) expect(wanted.check(seen), wanted.check.toString()).to.equal(true);
  if (wanted.counted !== undefined) expect(rig.violations(wanted.counted), wanted.counted).to.be.greaterThan(0);
}

function runCase(wanted: ServerCase, chunk?: number): void {
  const rig = new ServerRig({
    limits: wanted.limits ?? {},
    onCall: (call) => (call.holds = wanted.holds === true),
  });
  const bystander = rig.connect().greet();
  const client = rig.connect().greet();
  if (chunk === undefined) client.send(...wanted.frames);
  else client.sendSlowly(Buffer.concat(wanted.frames), chunk);
  expectOutcome(rig, client, wanted);
  // Another client of the same process is unharmed, and nothing of this one is left.
  bystander.send(frame(6, 0, 0, Buffer.from('still up')));
  expect(bystander.seen.of(6, 0), 'answers to the other client').to.have.lengthOf(1);
  const counted = [...rig.stats.http2Violations].reduce((sum, [, count]) => sum + count, 0);
  if (wanted.goaway !== undefined) expect(counted, 'violations').to.be.greaterThan(0);
  client.connection.destroy();
  expect(client.connection.openStreams).to.equal(0);
  for (const call of rig.calls) expect(call.stream.isClosed).to.equal(true);
  expect(rig.env.http2Buffered.bytes, 'bytes that wait').to.equal(0);
  bystander.connection.destroy();
  expect(rig.open.size).to.equal(0);
}

describe('an HTTP/2 client that sends', () => {
  it('one of at least 81 different things', () => {
    expect(CASES.length).to.be.at.least(81);
    expect(new Set(CASES.map(({ name }) => name)).size).to.equal(CASES.length);
  });

  for (const wanted of CASES) {
    const outcome =
      wanted.goaway !== undefined ? 'has to go' : wanted.reset !== undefined ? 'loses the call' : 'is served';
    it(`${wanted.name}, ${outcome}`, () => runCase(wanted));
  }

  describe('in pieces', () => {
    for (const wanted of CASES) {
      const size = wanted.frames.reduce((sum, { length }) => sum + length, 0);
      if (size > MOST_BYTES) continue;
      for (const chunk of [1, 3]) it(`of ${chunk}: ${wanted.name}`, () => runCase(wanted, chunk));
    }
  });
});

describe('the beginning of an HTTP/2 connection', () => {
  it('is refused when it is no preface', () => {
    const client = new ServerRig().connect().send(Buffer.from('PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n'));
    expect(client.seen.goaways).to.deep.equal([1]);
    expect(client.isOver).to.equal(true);
  });

  it('is refused when the first frame is no SETTINGS', () => {
    const client = new ServerRig().connect().send(CLIENT_PREFACE, frame(6, 0, 0, Buffer.alloc(8)));
    expect(client.seen.goaways).to.deep.equal([1]);
  });

  it('is SETTINGS with our limits and extended CONNECT, a larger window, and an acknowledgement', () => {
    const client = new ServerRig().connect().send(CLIENT_PREFACE, EMPTY_SETTINGS, SETTINGS_ACK);
    const [settings, window, acknowledgement] = client.seen.frames;
    expect(settings.payload.toString('hex')).to.equal(
      '000100001000' + '000300000100' + '000400040000' + '000500004000' + '000600010000' + '000800000001',
    );
    expect([window.type, window.id, window.payload.readUInt32BE()]).to.deep.equal([8, 0, 16 * 1024 * 1024 - 65_535]);
    expect([acknowledgement.type, acknowledgement.flags]).to.deep.equal([4, 1]);
    expect(client.socket.writes, 'in one write').to.equal(1);
  });
});
