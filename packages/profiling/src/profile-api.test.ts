import { RecordingLogger, fakePorts } from '@mesher/core/testing';
import { expect } from 'chai';
import { createServer, request, type ClientRequest, type IncomingMessage, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { Profile } from 'pprof-format';
import { ProfileApi } from './profile-api.js';
import { readStacks } from './testing/read-stacks.js';

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** Named, so that it can be found in a profile. */
function burnCpuForTest(turns: number): number {
  let sum = 0;
  for (let turn = 0; turn < turns; turn++) sum += Math.sqrt(turn);
  return sum;
}

describe('profiles over HTTP', () => {
  let server: Server;
  let api: ProfileApi;
  let ports: ReturnType<typeof fakePorts>;
  let logger: RecordingLogger;
  beforeEach(async () => {
    ports = fakePorts();
    logger = new RecordingLogger();
    const options = { maxDurationMs: 60_000, cpuIntervalMs: 0.2, heapIntervalBytes: 1024 };
    api = new ProfileApi(options, { ports, logger });
    server = createServer((incoming, response) => void api.answer(incoming, response)).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(async () => {
    api.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('takes none for a client that has gone before it began', async () => {
    const gone = new Promise<void>((resolve) => {
      server.removeAllListeners('request');
      server.once('request', (incoming, response) => {
        response.once('close', () => void api.answer(incoming, response).then(resolve));
        incoming.socket.destroy();
      });
    });
    begin('/debug/pprof/profile');
    await gone;
    expect([api.isBusy, logger.lines]).to.deep.equal([false, []]);
  });

  it('says so when the target is no path', async () => {
    for (const path of ['//', '//[', 'http://']) expect((await begin(path).answer).status, path).to.equal(400);
  });

  function begin(path: string, method = 'GET'): { sent: ClientRequest; answer: Promise<Answer> } {
    const { port } = server.address() as AddressInfo;
    const sent = request({ host: '127.0.0.1', port, path, method, agent: false });
    const answer = new Promise<Answer>((resolve, reject) => {
      sent.on('error', reject);
      sent.on('response', (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) }),
        );
      });
    });
    answer.catch(() => undefined);
    sent.end();
    return { sent, answer };
  }

  const ask = async (path: string, method?: string): Promise<Answer> => await begin(path, method).answer;

  /** Until a profile is being taken: its timer runs. */
  async function underWay(): Promise<void> {
    while (ports.time.pendingTimers === 0) await new Promise((resolve) => setImmediate(resolve));
  }

  it('of the CPU are compressed protocol buffers with the functions that ran', async () => {
    const { answer } = begin('/debug/pprof/profile?seconds=7');
    await underWay();
    burnCpuForTest(20_000_000);
    ports.time.advance(7_000);
    const { body, headers, status } = await answer;
    expect(status).to.equal(200);
    expect(headers['content-disposition']).to.contain('mesher-cpu.pb.gz');
    const stacks = readStacks(Profile.decode(gunzipSync(body)));
    expect(stacks.some(({ stack }) => stack[0]?.startsWith('burnCpuForTest profile-api.test.js /') === true)).to.equal(
      true,
    );
    expect(logger.messages('info')).to.deep.equal(['a profile is being taken']);
  });

  it('of memory have what was allocated meanwhile', async () => {
    const { answer } = begin('/debug/pprof/heap?seconds=7');
    await underWay();
    const kept = Array.from({ length: 2_000 }, (_, index) => ({ text: `object ${index} is kept` }));
    ports.time.advance(7_000);
    const profile = Profile.decode(gunzipSync((await answer).body));
    expect(kept).to.have.length(2_000);
    const bytes = readStacks(profile).reduce((sum, { values }) => sum + (values[1] ?? 0), 0);
    expect(bytes).to.be.greaterThan(2_000 * 16);
  });

  for (const [path, name, field] of [
    ['profile', 'mesher.cpuprofile', 'nodes'],
    ['heap', 'mesher.heapprofile', 'head'],
  ] as const) {
    it(`are files for the developer tools of Chrome when ?format=v8 asks for them: ${name}`, async () => {
      const { answer } = begin(`/debug/pprof/${path}?seconds=1&format=v8`);
      await underWay();
      ports.time.advance(1_000);
      const { body, headers } = await answer;
      expect(headers['content-disposition']).to.contain(name);
      expect(JSON.parse(String(body))).to.have.property(field);
    });
  }

  it('are taken one at a time, and the next one when the first is done', async () => {
    const first = begin('/debug/pprof/profile?seconds=1');
    await underWay();
    const second = await ask('/debug/pprof/heap');
    expect([second.status, String(second.body)]).to.deep.equal([
      ...[409, 'A profile is being taken already: one at a time. Ask again when it is done.\n'],
    ]);
    // go tool pprof shows the text of an answer that has it.
    expect(second.headers['x-go-pprof']).to.equal('1');
    ports.time.advance(1_000);
    expect((await first.answer).status).to.equal(200);
    const third = begin('/debug/pprof/profile?seconds=1');
    await underWay();
    ports.time.advance(1_000);
    expect((await third.answer).status).to.equal(200);
  });

  it('are given up when the client has gone', async () => {
    const { sent } = begin('/debug/pprof/profile?seconds=60');
    await underWay();
    sent.destroy();
    while (api.isBusy) await new Promise((resolve) => setImmediate(resolve));
    const next = begin('/debug/pprof/profile?seconds=1');
    await underWay();
    ports.time.advance(1_000);
    expect((await next.answer).status).to.equal(200);
  });

  it('say what is wrong with a request', async () => {
    const { status, body } = await ask('/debug/pprof/profile?seconds=3600');
    expect([status, String(body)]).to.deep.equal([
      ...[400, 'seconds=3600 is no duration up to 60 seconds (pprof.maxDuration)\n'],
    ]);
    expect((await ask('/debug/pprof/goroutine')).status).to.equal(404);
    expect((await ask('/debug/pprof/profile', 'POST')).status).to.equal(405);
    expect(String((await ask('/debug/pprof/cmdline')).body)).to.contain('\0');
    expect(logger.lines).to.deep.equal([]);
  });
});
