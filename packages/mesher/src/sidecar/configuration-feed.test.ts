import { FakeKie } from '@mesher/config-kie/testing';
import { Chassis, definePlugin, systemPorts, type MeshDocument, type MeshEventKind } from '@mesher/core';
import { RecordingLogger, ScriptedDiscovery } from '@mesher/core/testing';
import { expect } from 'chai';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withConfFolder, type Files } from '../testing/conf-folder.js';
import { ConfigurationFeed } from './configuration-feed.js';
import { load } from './load.js';

const LABELS = { app: 'default', environment: '', service: 'world' };

/** A chassis that follows the configuration in a folder, and the config center that the folder names. */
class Fed {
  #wake: () => void = () => {};
  #kinds: MeshEventKind[] = [];

  private constructor(
    readonly dir: string,
    readonly feed: ConfigurationFeed,
    readonly chassis: Chassis,
    readonly logger: RecordingLogger,
  ) {
    chassis.events.onEvent(({ kind }) => {
      this.#kinds.push(kind);
      this.#wake();
    });
  }

  static async open(dir: string): Promise<Fed> {
    const logger = new RecordingLogger();
    const ports = systemPorts();
    const request = { confDir: dir, env: {} };
    const loaded = await load(request);
    loaded.catalog.add(
      definePlugin({
        kind: 'registry',
        name: 'scripted',
        create: () => ({ discovery: new ScriptedDiscovery(), registrator: undefined }),
      }),
    );
    const feed = await ConfigurationFeed.open(loaded, request, { ports, logger });
    const { document } = feed.started;
    const chassis = await Chassis.create({ document, confDir: dir, catalog: loaded.catalog, ports, logger });
    feed.attach(chassis);
    const fed = new Fed(dir, feed, chassis, logger);
    await feed.begin();
    return fed;
  }

  get document(): MeshDocument {
    return this.chassis.document;
  }

  get view(): Record<string, unknown> {
    return this.feed.view() as Record<string, unknown>;
  }

  /** Resolves with the next event of this kind since the last one that was awaited. */
  async until(kind: MeshEventKind): Promise<void> {
    while (!this.#kinds.includes(kind)) await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#kinds = [];
  }

  async replace(name: string, text: string): Promise<void> {
    await writeFile(join(this.dir, `${name}.new`), text);
    await rename(join(this.dir, `${name}.new`), join(this.dir, name));
  }

  async close(): Promise<void> {
    this.feed.close();
    await this.chassis.close();
  }
}

describe('the configuration of a running sidecar', () => {
  let kie: FakeKie;
  beforeEach(async () => {
    kie = await FakeKie.start();
  });
  afterEach(async () => {
    await kie.close();
  });

  async function withFed(files: Files, use: (fed: Fed) => Promise<void>): Promise<void> {
    const own = { 'mesher.yaml': 'mesher.reload.debounce: 5ms\n', ...files };
    const registry = 'servicecomb.registry.type: scripted\n';
    await withConfFolder({ ...own, 'chassis.yaml': registry + (files['chassis.yaml'] ?? '') }, async (dir) => {
      const fed = await Fed.open(dir);
      try {
        await use(fed);
      } finally {
        await fed.close();
      }
    });
  }

  /** Keys that choose the config center, at an address. */
  function client(address: string, more = ''): Files {
    return {
      'chassis.yaml': `servicecomb.config.client: { serverUri: "${address}", refreshMode: 0, startTimeout: 2s${more} }
plugin.settings.kie: { confirmAfter: 5ms, minInterval: 1ms }
`,
    };
  }

  it('shows each setting with its origin, and whether it is in effect', async () => {
    const account = 'servicecomb.credentials: { account: { name: me, password: hunter2 }, cipher: aes }\n';
    await withFed({ 'chassis.yaml': account }, (fed) => {
      const keys = fed.view['keys'] as Record<string, { value: string; from: string; inEffect?: boolean }>;
      expect(keys['servicecomb.service.name']?.value).to.equal('world');
      expect(keys['servicecomb.service.name']?.from).to.match(/microservice\.yaml:1:\d+$/);
      expect(keys['servicecomb.service.name']).not.to.have.property('inEffect');
      expect(keys['servicecomb.credentials.account.name'])
        .to.include({ value: 'me' })
        .and.not.have.property('inEffect');
      expect(keys['servicecomb.credentials.cipher']).to.include({ value: 'aes', inEffect: false });
      expect(keys['mesher.serverTiming']).to.deep.equal({ value: 'false', from: 'default' });
      expect(JSON.stringify(fed.view)).not.to.include('hunter2');
      return Promise.resolve();
    });
  });

  it('follows a file that is replaced, without being told', async () => {
    await withFed({}, async (fed) => {
      await fed.replace('mesher.yaml', 'mesher: { serverTiming: true }\n');
      await fed.until('configuration-applied');
      expect(fed.document.mesher.serverTiming).to.equal(true);
      expect(fed.view).to.deep.include({ generation: 2, rejected: null, source: null });
    });
  });

  it('starts with what the config center says, which wins over the files, and follows it', async () => {
    await kie.put(LABELS, 'mesher.serverTiming', 'true');
    await kie.put(LABELS, 'servicecomb.handler.chain.Consumer.outgoing', 'loadbalance,transport');
    await withFed(
      { ...client(kie.url), 'mesher.yaml': 'mesher: { serverTiming: false, reload.debounce: 5ms }\n' },
      async (fed) => {
        expect(fed.document.mesher.serverTiming).to.equal(true);
        expect(fed.document.chain('Consumer', 'outgoing')).to.deep.equal(['loadbalance', 'transport']);
        const keys = fed.view['keys'] as Record<string, unknown>;
        expect(keys['mesher.serverTiming']).to.deep.equal({ value: 'true', from: 'kie: mesher.serverTiming' });
        expect(fed.view['source']).to.deep.include({ name: 'kie', state: 'following', keys: 2 });
        await kie.remove(LABELS, 'mesher.serverTiming');
        await fed.until('configuration-applied');
        expect(fed.document.mesher.serverTiming).to.equal(false);
      },
    );
  });

  it('keeps what is in effect when the config center says something wrong, and names the key', async () => {
    await withFed(client(kie.url), async (fed) => {
      await kie.put(LABELS, 'mesher.serverTiming', 'maybe');
      await fed.until('configuration-rejected');
      const { problems } = fed.view['rejected'] as { problems: string[] };
      expect(problems).to.deep.equal([
        "kie: mesher.serverTiming  mesher.serverTiming  expects true or false, found 'maybe'",
      ]);
      await kie.put(LABELS, 'mesher.serverTiming', 'true');
      await fed.until('configuration-applied');
      expect(fed.view['rejected']).to.equal(null);
    });
  });

  it('starts with the files when the config center says something wrong at the start, and says so', async () => {
    await kie.put(LABELS, 'mesher.serverTiming', 'maybe');
    await withFed(client(kie.url), async (fed) => {
      expect(fed.document.mesher.serverTiming).to.equal(false);
      await fed.until('configuration-rejected');
      expect(fed.logger.messages('error')[0]).to.match(/cannot be used; the start goes on with the files/);
    });
  });

  it('starts with the files when the config center is down, and takes it over when it comes up', async () => {
    const { port } = kie;
    await kie.close();
    await withFed(client(`http://127.0.0.1:${port}`, ', maxRetryInterval: 1s'), async (fed) => {
      expect(fed.view['source']).to.deep.include({ name: 'kie', state: 'waiting', keys: 0 });
      expect(fed.logger.messages('warn').join('\n')).to.include('the config source does not answer');
      kie = await FakeKie.start({ port });
      await kie.put(LABELS, 'mesher.serverTiming', 'true');
      await fed.until('configuration-applied');
      expect(fed.document.mesher.serverTiming).to.equal(true);
    });
  });

  it('takes rules from the config center as YAML texts, and names key and line of a mistake in them', async () => {
    await withFed(client(kie.url), async (fed) => {
      const rules = '- precedence: 1\n  route:\n    - weight: 100\n      tags: { version: 1.0.0 }\n';
      await kie.put(LABELS, 'servicecomb.routeRule.orders', rules);
      await fed.until('configuration-applied');
      expect(fed.document.routeRules.has('orders')).to.equal(true);
      await kie.put(LABELS, 'servicecomb.routeRule.orders', '- precedence: 1\n  route:\n    - weight: much\n');
      await fed.until('configuration-rejected');
      const { problems } = fed.view['rejected'] as { problems: string[] };
      expect(problems.join('\n')).to.match(/kie: servicecomb\.routeRule\.orders.*weight.*much/);
    });
  });

  it('is made of files alone for a config center that nobody can ask, with a warning', async () => {
    await withFed(
      { 'chassis.yaml': 'servicecomb.config.client: { serverUri: "http://127.0.0.1:1", type: apollo }\n' },
      (fed) => {
        expect(fed.logger.messages('warn')[0]).to.match(/there is no config source 'apollo' \(there is consul, kie\)/);
        expect(fed.view['source']).to.equal(null);
        return Promise.resolve();
      },
    );
  });
});
