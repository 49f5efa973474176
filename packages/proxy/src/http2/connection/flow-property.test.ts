import { expect } from 'chai';
import fc from 'fast-check';
import { fastCheckParameters, fuzzSettings } from '../../testing/framing/fuzz-settings.js';
import { data, get, post, reset, setting, windowUpdate } from '../testing/server-case.js';
import { ServerRig, type TestCall, type TestClient } from '../testing/server-rig.js';

const SETTINGS = fuzzSettings(300);
/** Windows that SETTINGS and updates of a test stay below, so that none overflows. */
const MAX_STEP = 100_000;
const LARGE = 1_000_000_000;
const STREAM_WINDOW = 65_536;

type Step =
  | { readonly kind: 'get' | 'post' }
  | { readonly kind: 'upload' | 'credit' | 'window' | 'take'; readonly which: number; readonly bytes: number }
  | { readonly kind: 'settings' | 'connection'; readonly bytes: number }
  | { readonly kind: 'finish' | 'cancel' | 'abort'; readonly which: number }
  | { readonly kind: 'stick' | 'drain' };

const which = fc.nat(20);
const bytes = fc.oneof(fc.nat(3), fc.nat(MAX_STEP));
const STEP: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('get' as const, 'post' as const) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom('upload' as const, 'credit' as const, 'window' as const, 'take' as const),
      which,
      bytes,
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('settings' as const, 'connection' as const), bytes }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('finish' as const, 'cancel' as const, 'abort' as const), which }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('stick' as const, 'drain' as const) }) },
);

/** One stream as its client sees it. */
interface Upload {
  readonly id: number;
  readonly call: TestCall;
  /** Bytes that the client was allowed to send beyond the first window. */
  sent: number;
  isEnded: boolean;
  isCancelled: boolean;
  /** Bytes of the answer that it has let come. */
  window: number;
}

/** A client that keeps all rules, and knows what it may send and what may come. */
class HonestClient {
  readonly uploads: Upload[] = [];
  readonly client: TestClient;
  connectionWindow = 65_535;
  #initialWindow = 65_535;
  #nextId = 1;
  #sentOnConnection = 0;

  constructor(readonly rig: ServerRig) {
    this.client = rig.connect().greet();
  }

  run(step: Step): void {
    switch (step.kind) {
      case 'get':
      case 'post':
        return this.#open(step.kind === 'get');
      case 'settings': {
        for (const upload of this.uploads) upload.window += step.bytes - this.#initialWindow;
        this.#initialWindow = step.bytes;
        this.client.send(setting(4, step.bytes));
        return;
      }
      case 'connection':
        if (step.bytes === 0) return;
        this.connectionWindow += step.bytes;
        this.client.send(windowUpdate(0, step.bytes));
        return;
      case 'stick':
        this.client.socket.isStuck = true;
        return;
      case 'drain':
        this.client.socket.drain();
        this.client.hear();
        return;
      default: {
        const live = this.uploads.filter(({ call }) => !call.stream.isClosed);
        if (live.length > 0) this.#touch(step, live[step.which % live.length]);
      }
    }
  }

  /** Everything is allowed now; whatever still waits must come. */
  openAll(): void {
    this.run({ kind: 'drain' });
    this.run({ kind: 'connection', bytes: LARGE });
    for (const upload of this.uploads) {
      const { stream } = upload.call;
      if (!stream.isClosed && !upload.isEnded) this.#touch({ kind: 'finish', which: 0 }, upload);
      if (!stream.isClosed) this.client.send(windowUpdate(upload.id, LARGE));
    }
    this.run({ kind: 'drain' });
  }

  check(): void {
    const { seen } = this.client;
    let total = 0;
    for (const { id, call, isCancelled, window } of this.uploads) {
      const received = sum(seen.dataOf(id));
      total += received;
      if (isCancelled) continue;
      // What had left before SETTINGS made the window smaller was allowed then.
      if (received > 0 && window < 0) expect(call.stream.sendWindow.available, `window of ${id}`).to.be.at.most(0);
      if (!call.stream.isClosed) {
        expect(call.stream.sendWindow.available, `window of ${id}`).to.equal(window - call.sent);
        expect(call.received - call.stream.heldBytes, `bytes of ${id} given back`).to.be.at.least(0);
      }
    }
    expect(total, 'DATA on the connection').to.be.at.most(this.connectionWindow);
    const waiting = this.uploads.reduce(
      (bytes, { call: { stream } }) => bytes + stream.heldBytes + stream.queuedBytes,
      0,
    );
    expect(this.rig.env.http2Buffered.bytes, 'bytes that wait').to.equal(waiting);
    expect(seen.goaways).to.deep.equal([]);
  }

  #open(isGet: boolean): void {
    const id = this.#nextId;
    this.#nextId += 2;
    this.client.send(isGet ? get(id) : post(id));
    const call = this.rig.calls.at(-1) as TestCall;
    call.holds = true;
    this.uploads.push({ id, call, sent: 0, isEnded: isGet, isCancelled: false, window: this.#initialWindow });
  }

  #touch(step: Step, upload: Upload): void {
    const { call, id } = upload;
    if (step.kind === 'upload') {
      // Our own side gives back at once on the connection, and the test gives back on the stream.
      const credit = this.client.seen
        .of(8, id)
        .reduce((all, { payload }) => all + payload.readUInt32BE(), STREAM_WINDOW);
      const connectionCredit = this.client.seen
        .of(8, 0)
        .reduce((all, { payload }) => all + payload.readUInt32BE(), 65_535);
      const size = Math.min(step.bytes, credit - upload.sent, connectionCredit - this.#sentOnConnection, 16_384);
      if (upload.isEnded || size <= 0) return;
      upload.sent += size;
      this.#sentOnConnection += size;
      this.client.send(data(id, Buffer.alloc(size), 0));
    } else if (step.kind === 'finish' && !upload.isEnded) {
      upload.isEnded = true;
      this.client.send(data(id, ''));
    } else if (step.kind === 'cancel') {
      upload.isCancelled = true;
      this.client.send(reset(id));
    } else if (step.kind === 'abort') {
      upload.isCancelled = true;
      call.stream.reset(2);
      this.client.hear();
    } else if (step.kind === 'credit' && call.stream.heldBytes > 0) {
      call.stream.consumed(Math.min(step.bytes, call.stream.heldBytes));
      this.client.hear();
    } else if (step.kind === 'window' && step.bytes > 0) {
      upload.window += step.bytes;
      this.client.send(windowUpdate(id, step.bytes));
    }
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

describe(`flow control of HTTP/2, with windows, SETTINGS, cancels and sockets at random (${SETTINGS.title})`, () => {
  it('sends no more than allowed, keeps count of all that waits, and leaves nothing behind', () => {
    fc.assert(
      fc.property(fc.array(STEP, { minLength: 1, maxLength: 60 }), fc.nat(200_000), (steps, answerBytes) => {
        const rig = new ServerRig({
          limits: { streamWindow: STREAM_WINDOW, maxConnectionBufferedBytes: 300_000, maxBufferedBytes: 1_000_000 },
          answer: (call) => call.reply(answerBytes),
        });
        const honest = new HonestClient(rig);
        for (const step of steps) {
          // A refused call is another test.
          if ((step.kind === 'get' || step.kind === 'post') && honest.client.connection.incoming.isFull) continue;
          honest.run(step);
          honest.check();
        }
        honest.openAll();
        honest.check();
        for (const { id, isCancelled } of honest.uploads) {
          if (isCancelled) continue;
          expect(sum(honest.client.seen.dataOf(id)), `answer on ${id}`).to.equal(answerBytes);
          expect(honest.client.seen.isEnded(id), `end of ${id}`).to.equal(true);
        }
        expect(honest.client.connection.openStreams).to.equal(0);
        expect(rig.env.http2Buffered.bytes).to.equal(0);
        honest.client.connection.destroy();
      }),
      fastCheckParameters(SETTINGS),
    );
  });
});
