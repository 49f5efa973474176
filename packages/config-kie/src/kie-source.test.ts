import { systemPorts, type Ports, type TimerHandle } from '@mesher/core';
import { expect } from 'chai';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KieError, type KieErrorCode } from './kie-error.js';
import { FakeKie } from './testing/fake-kie.js';
import { KIE_BEHAVIOURS, checkBehaviour } from './testing/kie-behaviour.js';
import { APP, SERVICE, SourceRig, type SourceRigSettings } from './testing/source-rig.js';

describe('the config source kie, with a fake Kie', () => {
  for (const behaviour of KIE_BEHAVIOURS) {
    it(behaviour.title, async () => {
      const kie = await FakeKie.start();
      try {
        await checkBehaviour(behaviour, kie);
      } finally {
        await kie.close();
      }
    });
  }
});

describe('the config source kie', () => {
  let kie: FakeKie;
  const rigs: SourceRig[] = [];
  beforeEach(async () => {
    kie = await FakeKie.start();
  });
  afterEach(async () => {
    for (const rig of rigs.splice(0)) await rig.close();
    await kie.close();
  });

  async function open(settings: Partial<SourceRigSettings> = {}): Promise<SourceRig> {
    const rig = await SourceRig.open({ addresses: [kie.url], ...settings });
    rigs.push(rig);
    return rig;
  }

  async function failure(rig: SourceRig): Promise<KieError> {
    const error: unknown = await rig.next().catch((caught: unknown) => caught);
    expect(error).to.be.instanceOf(KieError);
    return error as KieError;
  }

  it('asks for the labels from low to high, and lets Kie hold back what is not new', async () => {
    const rig = await open({ environment: 'production' });
    await rig.next();
    await kie.untilHeld(2);
    const questions = kie.asked.map((query) => query.toString());
    const app = 'label=app%3Ashop&label=environment%3Aproduction';
    const full = [`match=exact&revision=-1&${app}`, `match=exact&revision=-1&${app}&label=service%3Aorders`];
    expect(questions.filter((text) => text.includes('revision=-1'))).to.have.members([...full, ...full]);
    expect(questions.filter((text) => text.includes('revision=0'))).to.include.members([
      `match=exact&revision=0&${app}&wait=30s`,
      `match=exact&revision=0&${app}&label=service%3Aorders&wait=30s`,
    ]);
    expect(new Set(kie.paths)).to.deep.equal(new Set(['/v1/default/kie/kv']));
  });

  it('asks for the project that is configured, below the path of the address', async () => {
    const rig = await open({ addresses: [`${kie.url}/base/`], settings: { project: 'a b' } });
    expect((await failure(rig)).code).to.equal('KIE_ANSWER');
    expect(kie.paths[0]).to.equal('/base/v1/a%20b/kie/kv');
  });

  it('does not take half of an answer for the whole', async () => {
    await kie.put(APP, 'a', '1');
    await kie.put(SERVICE, 'b', '2');
    expect(await (await open()).next()).to.deep.equal({ a: '1', b: '2' });
  });

  it('looks twice at another revision: Kie may answer with the old values under the new revision', async () => {
    await kie.put(SERVICE, 'a', 'old');
    const rig = await open();
    expect(await rig.next()).to.deep.equal({ a: 'old' });
    await kie.untilHeld(2);
    // What a reader sees that comes between the revision and the value.
    kie.lagging = 1;
    await kie.put(SERVICE, 'a', 'new');
    expect(await rig.next()).to.deep.equal({ a: 'new' });
  });

  it('finds what was dropped without a new revision, since it asks for everything now and then', async () => {
    await kie.put(SERVICE, 'a', '1');
    const rig = await open({ refreshIntervalMs: 1_000, settings: { fullRefresh: 1 } });
    expect(await rig.next()).to.deep.equal({ a: '1' });
    kie.forget(SERVICE, 'a');
    expect(await rig.next()).to.deep.equal({});
  });

  it('names every content by a revision of its own, also those that Kie gives the same number', async () => {
    await kie.put(SERVICE, 'a', '1');
    await kie.put(SERVICE, 'b', '2');
    const rig = await open({ refreshIntervalMs: 1_000, settings: { fullRefresh: 1 } });
    await rig.next();
    const both = rig.revision;
    kie.forget(SERVICE, 'a');
    await rig.next();
    expect(both).to.match(/^2-[0-9a-f]+$/);
    expect(rig.revision).to.match(/^2-/).and.not.equal(both);
    const again = await open();
    await again.next();
    expect(again.revision).to.equal(rig.revision);
  });

  it('sends the token, and reads it again for each attempt', async () => {
    await kie.close();
    kie = await FakeKie.start({ token: 'right' });
    const confDir = await mkdtemp(join(tmpdir(), 'mesher-kie-'));
    try {
      await writeFile(join(confDir, 'token'), 'wrong\n');
      const rig = await open({ settings: { tokenFile: 'token' }, confDir });
      expect(await failure(rig)).to.include({ code: 'KIE_DENIED' });
      await writeFile(join(confDir, 'token'), 'right\n');
      expect(await rig.next()).to.deep.equal({});
      expect(await (await open({ settings: { token: 'right' } })).next()).to.deep.equal({});
    } finally {
      await rm(confDir, { recursive: true });
    }
  });

  it('goes to the next address after a failure', async () => {
    const dead = await closedPort();
    const rig = await open({ addresses: [`127.0.0.1:${dead}`, kie.url] });
    const error = await failure(rig);
    expect(error.code).to.equal('KIE_UNREACHABLE');
    expect(error.message).to.match(new RegExp(`^http://127\\.0\\.0\\.1:${dead} cannot be asked: ECONNREFUSED`));
    expect(await rig.next()).to.deep.equal({});
  });

  const answers: readonly (readonly [what: string, failure: NonNullable<FakeKie['failure']>, code: KieErrorCode])[] = [
    ['an error of the server', { status: 500, body: '{"errorMessage":"database operation error"}' }, 'KIE_ANSWER'],
    ['too many requests', { status: 429 }, 'KIE_ANSWER'],
    ['a redirect, which is not followed', { status: 302, headers: { location: 'http://127.0.0.1:1/' } }, 'KIE_ANSWER'],
    ['no JSON', { status: 200, body: '<html>', headers: { 'x-kie-revision': '1' } }, 'KIE_ANSWER'],
    ['JSON of something else', { status: 200, body: '{"data":"x"}', headers: { 'x-kie-revision': '1' } }, 'KIE_ANSWER'],
    ['no revision', { status: 200, body: '{"data":[]}' }, 'KIE_ANSWER'],
    ['no permission', { status: 403 }, 'KIE_DENIED'],
    ['a flood', { status: 200, body: 'x'.repeat(5_000), headers: { 'x-kie-revision': '1' } }, 'KIE_UNREACHABLE'],
  ];
  for (const [what, answer, code] of answers) {
    it(`fails at ${what}, names the server, and is well again afterwards`, async () => {
      kie.failure = answer;
      const rig = await open({ settings: { maxResponseBytes: 4_096 } });
      const error = await failure(rig);
      expect(error.code).to.equal(code);
      expect(error.message).to.include(kie.url);
      kie.failure = undefined;
      expect(await rig.next()).to.deep.equal({});
    });
  }

  it('takes 404 for an answer without values, as older servers mean it', async () => {
    kie.failure = { status: 404, headers: { 'content-type': 'application/json' }, body: '{"errorCode":"404001"}' };
    const delays: number[] = [];
    const rig = await open({ ports: recordingTimers(delays), refreshIntervalMs: 30_000 });
    expect(await rig.next()).to.deep.equal({});
    // Such an answer has no revision that a long poll could wait beyond: asked again at once, it would come at once.
    expect(delays.filter((ms) => ms === 30_000)).to.have.lengthOf(2);
  });

  it('gives up on a server that accepts and says nothing', async () => {
    const silent = createServer((socket) => socket.on('error', () => {}));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as { port: number };
    const rig = await open({ addresses: [`http://127.0.0.1:${port}`], settings: { requestTimeout: 50 } });
    const error = await failure(rig);
    expect(error.message).to.match(/no answer within 50 ms/);
    silent.close();
  });

  it('ends its long polls when it is told to end', async () => {
    const rig = await open();
    await rig.next();
    await kie.untilHeld(2);
    const pending = rig.next().catch((error: unknown) => error);
    await rig.close();
    await pending;
    await kie.untilHeld(0);
  });

  it('shows neither user nor password of an address', async () => {
    const error: unknown = await SourceRig.open({ addresses: ['ftp://me:hunter2@kie:1'] }).catch(
      (caught: unknown) => caught,
    );
    expect(error).to.be.instanceOf(KieError).with.property('code', 'KIE_SETTING');
    expect((error as KieError).message).not.to.include('hunter2');
  });

  it('refuses labels that no question can contain, and files that are not there', async () => {
    const broken = SourceRig.open({ addresses: [kie.url], environment: 'a:b' }).catch((caught: unknown) => caught);
    expect(await broken)
      .to.be.instanceOf(KieError)
      .with.property('code', 'KIE_SETTING');
    const version = '1.0:beta';
    await open({ version });
    const asked = SourceRig.open({ addresses: [kie.url], version, settings: { byVersion: true } });
    expect(await asked.catch((caught: unknown) => caught))
      .to.be.instanceOf(KieError)
      .with.property('code', 'KIE_SETTING');
    const missing = SourceRig.open({ addresses: [kie.url], settings: { caFile: 'no-such.pem' } }).catch(
      (caught: unknown) => caught,
    );
    expect(await missing)
      .to.be.instanceOf(KieError)
      .with.property('message')
      .that.includes('no-such.pem');
  });
});

/** The ports of the system; notes how long its timers are. */
function recordingTimers(delays: number[]): Ports {
  const ports = systemPorts();
  const after = (ms: number, callback: () => void): TimerHandle => {
    delays.push(ms);
    return ports.timers.after(ms, callback);
  };
  return { ...ports, timers: { after, every: (ms, callback) => ports.timers.every(ms, callback) } };
}

/** A port on which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
