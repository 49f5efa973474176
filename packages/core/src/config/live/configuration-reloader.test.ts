import { expect } from 'chai';
import { truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { MeshError } from '../../errors.js';
import { DEBOUNCE_MS, POLL_MS, type ReloadRig } from '../../testing/reload-rig.js';
import { TIMING_ON, withReloadRig as withRig } from '../../testing/with-reload-rig.js';

describe('a changed configuration', () => {
  it('takes the place of the former one as a whole, and everybody is told once', async () => {
    await withRig({}, async (rig) => {
      const before = rig.live.document;
      await rig.write({ ...TIMING_ON, 'router.yaml': 'mesher.proxy: {}\n' });
      expect(await rig.hintAndLook()).to.equal('applied');
      expect(rig.changes).to.deep.equal([rig.live.document]);
      expect(rig.live.document).not.to.equal(before);
      expect(rig.live.document.mesher.serverTiming).to.equal(true);
      expect(rig.reloader.state).to.include({ hash: rig.live.document.hash, generation: 2, rejected: undefined });
      expect(rig.reloader.state.files.map((path) => path.slice(rig.folder.length))).to.include('/router.yaml');
      expect(rig.events.latest.map(({ kind }) => kind)).to.deep.equal(['configuration-applied']);
      expect(rig.events.latest[0]?.data['keys']).to.deep.equal(['mesher.serverTiming']);
      expect(rig.count('applied')).to.equal(1);
    });
  });

  it('is waited for until it has been quiet, so that two changes in a row are one', async () => {
    await withRig({}, async (rig) => {
      await rig.write(TIMING_ON);
      rig.reloader.hint();
      rig.time.advance(DEBOUNCE_MS - 1);
      await rig.write({ 'chassis.yaml': 'servicecomb.handler: {}\nmesher.metrics: {}\n' });
      rig.reloader.hint();
      rig.time.advance(DEBOUNCE_MS - 1);
      expect(await rig.reloader.whenIdle()).to.equal(undefined);
      rig.time.advance(1);
      expect(await rig.reloader.whenIdle()).to.equal('applied');
      expect(rig.changes).to.have.lengthOf(1);
    });
  });

  it('is read although the files are never quiet, after five times the debounce', async () => {
    await withRig({}, async (rig) => {
      await rig.write(TIMING_ON);
      let looked: unknown;
      for (let waited = 0; waited <= DEBOUNCE_MS * 5 && looked === undefined; waited += DEBOUNCE_MS / 2) {
        rig.reloader.hint();
        rig.time.advance(DEBOUNCE_MS / 2);
        looked = await rig.reloader.whenIdle();
      }
      expect(looked).to.equal('applied');
    });
  });

  it('that means the same does nothing: the same bytes, a comment, another way to write it', async () => {
    await withRig(TIMING_ON, async (rig) => {
      await rig.write(TIMING_ON);
      expect(await rig.hintAndLook()).to.equal('unchanged');
      for (const text of ['# a comment\nmesher.serverTiming: true\n', 'mesher: { serverTiming: true }\n']) {
        await rig.write({ 'mesher.yaml': text });
        await rig.hintAndLook();
      }
      expect(rig.changes).to.deep.equal([]);
      expect(rig.reloader.state.generation).to.equal(1);
    });
  });

  it('is found by the poll when no event tells of it, and looked at once', async () => {
    await withRig({}, async (rig) => {
      await rig.write({ 'mesher.yaml': 'mesher.serverTiming: maybe\n' });
      for (let polls = 0; polls < 3; polls++) await pollAndLook(rig);
      expect(rig.count('rejected')).to.equal(1);
      expect(rig.logger.messages('error')).to.have.lengthOf(1);
    });
  });

  it('with a mistake changes nothing, and says where the mistake is: log, event, metric and state', async () => {
    await withRig(TIMING_ON, async (rig) => {
      const before = rig.live.document;
      await rig.write({ 'mesher.yaml': 'mesher:\n  serverTiming: maybe\n  metrics: { maxServices: none }\n' });
      expect(await rig.hintAndLook()).to.equal('rejected');
      expect(rig.live.document).to.equal(before);
      expect(rig.changes).to.deep.equal([]);
      expect(rig.refused).to.have.lengthOf(2);
      expect(rig.refused[0]).to.match(/^mesher\.yaml:2:17 {2}mesher\.serverTiming {2}expects true or false/);
      const [line] = rig.logger.lines.filter(({ level }) => level === 'error');
      expect(line?.message).to.match(/2 mistakes and is not used; the former one stays/);
      expect((line?.fields as { problems: string[] }).problems[0]).to.include('mesher.yaml:2:17');
      expect(rig.events.latest.map(({ kind }) => kind)).to.deep.equal(['configuration-rejected']);
      expect(rig.gauge('mesher_config_last_reload_success')).to.equal(0);

      await rig.write({ 'mesher.yaml': 'mesher.serverTiming: false\n' });
      expect(await rig.hintAndLook()).to.equal('applied');
      expect(rig.reloader.state.rejected).to.equal(undefined);
      expect(rig.gauge('mesher_config_last_reload_success')).to.equal(1);
    });
  });

  it('that is taken back after a mistake is good again, without a change', async () => {
    await withRig(TIMING_ON, async (rig) => {
      await rig.write({ 'mesher.yaml': 'mesher: [\n' });
      expect(await rig.hintAndLook()).to.equal('rejected');
      await rig.write(TIMING_ON);
      expect(await rig.hintAndLook()).to.equal('unchanged');
      expect(rig.reloader.state.rejected).to.equal(undefined);
      expect(rig.changes).to.deep.equal([]);
    });
  });

  it('that a part of the chassis cannot work with changes nothing', async () => {
    await withRig({}, async (rig) => {
      rig.live.onCheck((document) => {
        if (document.mesher.serverTiming) throw new MeshError('MESH_ERR_UNKNOWN_PLUGIN', 'nobody knows that one');
      });
      await rig.write(TIMING_ON);
      expect(await rig.hintAndLook()).to.equal('rejected');
      expect(rig.refused).to.deep.equal(['nobody knows that one']);
      expect(rig.changes).to.deep.equal([]);
    });
  });

  it('is read again at once when asked to, and those who ask meanwhile share the next look', async () => {
    await withRig({}, async (rig) => {
      await rig.write(TIMING_ON);
      const first = rig.reloader.reload();
      await rig.write({ 'mesher.yaml': 'mesher.serverTiming: false\n' });
      const [second, third] = [rig.reloader.reload(), rig.reloader.reload()];
      expect(second).to.equal(third);
      await Promise.all([first, second]);
      expect(rig.live.document.mesher.serverTiming).to.equal(false);
    });
  });

  it('that came while another look was under way is looked at when it ended, and not read again when nothing changed', async () => {
    await withRig({}, async (rig) => {
      const first = rig.reloader.reload();
      rig.reloader.hint();
      rig.time.advance(DEBOUNCE_MS);
      await first;
      expect(await rig.reloader.whenIdle()).to.equal('unchanged');
      expect(rig.count('unchanged')).to.equal(1);
    });
  });

  it('that a mistake of a part of the chassis keeps out counts as refused, too', async () => {
    await withRig({}, async (rig) => {
      rig.live.onCheck(() => {
        throw new TypeError('undefined is not a rule');
      });
      await rig.write(TIMING_ON);
      expect(await rig.hintAndLook()).to.equal('rejected');
      expect(rig.refused).to.deep.equal(['reading it failed: undefined is not a rule']);
      expect(rig.gauge('mesher_config_last_reload_success')).to.equal(0);
      expect(rig.count('rejected')).to.equal(1);
      expect(rig.changes).to.deep.equal([]);
    });
  });

  it('leaves no timer behind when the end comes while an emptied file is looked at', async () => {
    await withRig(TIMING_ON, async (rig) => {
      await truncate(join(rig.folder, 'mesher.yaml'));
      rig.reloader.hint();
      rig.time.advance(DEBOUNCE_MS);
      rig.reloader.close();
      await rig.reloader.whenIdle();
      expect(rig.time.pendingTimers).to.equal(0);
    });
  });

  it('is not taken over after the end', async () => {
    await withRig({}, async (rig) => {
      await rig.write(TIMING_ON);
      rig.reloader.hint();
      rig.reloader.close();
      rig.time.advance(POLL_MS);
      await rig.reloader.whenIdle();
      expect(rig.changes).to.deep.equal([]);
      expect(rig.time.pendingTimers).to.equal(0);
    });
  });
});

describe('a change that needs a restart', () => {
  const FILES = {
    'chassis.yaml':
      'servicecomb: { registry: { type: file, address: a }, handler.chain.Consumer.outgoing: transport }\n',
  };

  it('is reported, and the rest of the change is taken over', async () => {
    await withRig(FILES, async (rig) => {
      await rig.write({
        ...TIMING_ON,
        'chassis.yaml':
          'servicecomb:\n  registry:\n    type: file\n    address: b\n  handler.chain.Consumer.outgoing: loadbalance,transport\n',
      });
      expect(await rig.hintAndLook()).to.equal('applied');
      expect(rig.live.document.mesher.serverTiming).to.equal(true);
      expect(rig.live.document.registry.address).to.deep.equal(['a']);
      expect(rig.live.document.chain('Consumer', 'outgoing')).to.deep.equal(['transport']);
      const { needsRestart } = rig.reloader.state;
      const { key, running, found, at } = needsRestart.at(-1) ?? {};
      expect([key, running, found]).to.deep.equal(['servicecomb.registry.address[0]', 'a', 'b']);
      expect(at).to.match(/chassis\.yaml:4:14$/);
      expect(rig.gauge('mesher_config_needs_restart')).to.equal(needsRestart.length);
      expect(rig.logger.messages('warn')).to.deep.equal([
        'changes that need a restart; until then the former values stay in effect',
      ]);
    });
  });

  it('alone changes nothing, and is said once', async () => {
    await withRig(FILES, async (rig) => {
      const changed = { 'chassis.yaml': 'servicecomb: { registry: { type: file, address: b } }\n' };
      await rig.write(changed);
      expect(await rig.hintAndLook()).to.equal('unchanged');
      await rig.write({ 'chassis.yaml': `# again\n${changed['chassis.yaml']}` });
      expect(await rig.hintAndLook()).to.equal('unchanged');
      expect(rig.changes).to.deep.equal([]);
      expect(rig.logger.messages('warn')).to.have.lengthOf(1);
      await rig.write(FILES);
      await rig.hintAndLook();
      expect(rig.reloader.state.needsRestart).to.deep.equal([]);
    });
  });

  it('is also where this process runs, since others are told it at the start', async () => {
    await withRig({}, async (rig) => {
      await rig.write({ 'chassis.yaml': 'region: { name: eu, availableZone: b }\n' });
      expect(await rig.hintAndLook()).to.equal('unchanged');
      expect(rig.reloader.state.needsRestart.map(({ key }) => key)).to.deep.equal([
        'region.availableZone',
        'region.name',
      ]);
    });
  });

  it('with a mistake is refused all the same', async () => {
    await withRig(FILES, async (rig) => {
      await rig.write({ 'chassis.yaml': 'servicecomb.protocols.http.listenAddress: "nowhere:x"\n' });
      expect(await rig.hintAndLook()).to.equal('rejected');
      expect(rig.refused[0]).to.match(/^chassis\.yaml:1:.*listenAddress/);
    });
  });

  it('does not show secrets', async () => {
    await withRig({}, async (rig) => {
      await rig.write({ 'mesher.yaml': 'servicecomb.config.client.token: hunter2\n' });
      await rig.hintAndLook();
      const text = JSON.stringify([rig.reloader.state.needsRestart, rig.logger.lines, rig.events.latest]);
      expect(text).to.include('servicecomb.config.client.token').and.not.to.include('hunter2');
    });
  });
});

describe('a config source', () => {
  it('wins over files, its mistakes are shown with its name and key, and what it sets no longer is gone', async () => {
    await withRig({ 'mesher.yaml': 'mesher.serverTiming: false\n' }, async (rig) => {
      const says = (entries: Readonly<Record<string, string>>): void => {
        rig.sources = [{ name: 'kie', entries: new Map(Object.entries(entries)) }];
      };
      says({ 'mesher.serverTiming': 'true' });
      expect(await rig.hintAndLook()).to.equal('applied');
      expect(rig.live.document.mesher.serverTiming).to.equal(true);
      says({ 'mesher.serverTiming': 'perhaps' });
      expect(await rig.hintAndLook()).to.equal('rejected');
      expect(rig.refused).to.deep.equal([
        "kie: mesher.serverTiming  mesher.serverTiming  expects true or false, found 'perhaps'",
      ]);
      says({});
      expect(await rig.hintAndLook()).to.equal('applied');
      expect(rig.live.document.mesher.serverTiming).to.equal(false);
    });
  });

  it('may hold whole YAML texts: the later entry wins, and mistakes are shown with their lines', async () => {
    await withRig({ 'mesher.yaml': 'mesher.serverTiming: false\n' }, async (rig) => {
      const says = (entries: Readonly<Record<string, string>>): void => {
        const documents = new Set(Object.keys(entries).filter((name) => name.endsWith('.yaml')));
        rig.sources = [{ name: 'consul', entries: new Map(Object.entries(entries)), documents }];
      };
      says({ 'a.yaml': 'mesher: { serverTiming: true }\ncse.isolation.Consumer.timeoutInMilliseconds: 5000\n' });
      expect(await rig.hintAndLook()).to.equal('applied');
      expect(rig.live.document.mesher.serverTiming).to.equal(true);
      says({ 'a.yaml': 'mesher.serverTiming: true\n', 'mesher.serverTiming': 'false' });
      expect(await rig.hintAndLook()).to.equal('applied');
      expect(rig.live.document.mesher.serverTiming).to.equal(false);
      says({ 'mesher.serverTiming': 'false', 'a.yaml': 'mesher:\n  serverTiming: true\n' });
      expect(await rig.hintAndLook()).to.equal('applied');
      says({ 'a.yaml': 'mesher:\n  serverTiming: perhaps\nservicecomb.config.client.serverUri: http://evil:1\n' });
      expect(await rig.hintAndLook()).to.equal('rejected');
      expect(rig.refused).to.deep.equal([
        "consul: a.yaml:2:17  mesher.serverTiming  expects true or false, found 'perhaps'",
      ]);
      says({ 'a.yaml': 'mesher: [\n' });
      expect(await rig.hintAndLook()).to.equal('rejected');
      expect(rig.refused[0]).to.match(/^consul: a\.yaml:\d+:\d+ {2}is not valid YAML/);
      expect(rig.live.document.mesher.serverTiming).to.equal(true);
    });
  });

  it('cannot say which config source is asked, and its old spellings count', async () => {
    await withRig({}, async (rig) => {
      const entries = new Map([
        ['servicecomb.config.client.serverUri', 'http://evil:1'],
        ['a..b', 'x'],
        ['cse.handler.chain.Consumer.outgoing', 'transport'],
      ]);
      rig.sources = [{ name: 'kie', entries }];
      expect(await rig.hintAndLook()).to.equal('unchanged');
      const said = rig.logger.lines.map(({ fields, message }) => `${JSON.stringify(fields['at'])} ${message}`);
      expect(said.join('\n')).to.match(/kie: servicecomb\.config\.client\.serverUri.*cannot say which/);
      expect(said.join('\n')).to.match(/kie: a\.\.b" is no key/);
      expect(rig.reloader.state.needsRestart.map(({ key, at }) => `${key} ${at}`)).to.deep.equal([
        'servicecomb.handler.chain.Consumer.outgoing[0] kie: cse.handler.chain.Consumer.outgoing',
      ]);
    });
  });
});

async function pollAndLook(rig: ReloadRig): Promise<void> {
  rig.time.advance(POLL_MS);
  await rig.reloader.whenPolled();
  rig.time.advance(DEBOUNCE_MS);
  await rig.reloader.whenIdle();
}
