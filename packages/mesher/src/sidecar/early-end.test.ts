import { readBootstrap, systemPorts, type MeshMode } from '@mesher/core';
import { RecordingLogger, skipBecause } from '@mesher/core/testing';
import { expect } from 'chai';
import { Server, createServer, type AddressInfo } from 'node:net';
import { withConfFolder, type Files } from '../testing/conf-folder.js';
import { ConfigurationFeed } from './configuration-feed.js';
import { load } from './load.js';
import { Sidecar } from './sidecar.js';

type Moment = 'is about to open' | 'has just opened';

/** Servers of this process that were asked to listen, and what is done at one of them. */
class Listening {
  readonly servers: Server[] = [];
  readonly #listen = Object.getOwnPropertyDescriptor(Server.prototype, 'listen')?.value as Server['listen'];

  constructor(at: (index: number, moment: Moment) => void) {
    const { servers } = this;
    const listen = this.#listen;
    Server.prototype.listen = function (this: Server, ...args: Parameters<Server['listen']>) {
      const index = servers.push(this) - 1;
      at(index, 'is about to open');
      this.once('listening', () => at(index, 'has just opened'));
      return listen.apply(this, args);
    } as Server['listen'];
  }

  get open(): number {
    return this.servers.filter(({ listening }) => listening).length;
  }

  restore(): void {
    Server.prototype.listen = this.#listen;
  }
}

/** Ports that were free a moment ago. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports: number[] = [];
  for (const server of servers) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ports.push((server.address() as AddressInfo).port);
  }
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Everything that listens, on. */
async function files(): Promise<Files> {
  const [rest, admin, metrics, pprof, tcp, transparent] = await freePorts(6);
  return {
    'registry/world.yaml': '[]\n',
    'mesher.yaml': JSON.stringify({
      'servicecomb.registry': { type: 'file', address: './registry' },
      'servicecomb.protocols.http.listenAddress': `127.0.0.1:${rest}`,
      'servicecomb.protocols.rest-admin.listenAddress': `127.0.0.1:${admin}`,
      'mesher.metrics': { port: metrics, host: '127.0.0.1' },
      'mesher.statsd': { enabled: true, address: '127.0.0.1:9' },
      'mesher.listeners': [{ listen: `127.0.0.1:${tcp}`, service: 'db', protocol: 'tcp' }],
      pprof: { enable: true, listen: `127.0.0.1:${pprof}` },
      transparent: { port: transparent, host: '127.0.0.1' },
    }),
  };
}

async function start(confDir: string, mode: MeshMode, signal?: AbortSignal): Promise<Sidecar> {
  const request = { confDir, env: {} };
  const loaded = await load(request);
  const [ports, logger] = [systemPorts(), new RecordingLogger()];
  const feed = await ConfigurationFeed.open(loaded, request, { ports, logger });
  const bootstrap = await readBootstrap({ args: [`--mode=${mode}`], env: {}, cwd: confDir });
  const { catalog } = loaded;
  const wish = signal === undefined ? {} : { signal };
  return await Sidecar.start({ document: feed.started.document, feed, bootstrap, catalog, logger, ports, ...wish });
}

/** @returns the code of the error, and how many servers were asked to listen by then, and do so still */
async function givenUp(confDir: string, mode: MeshMode, step: number, when: Moment) {
  const stop = new AbortController();
  const listening = new Listening((index, moment) => {
    if (index === step && moment === when) stop.abort();
  });
  try {
    const outcome = await start(confDir, mode, stop.signal).then(
      (sidecar) => sidecar.close().then(() => 'started'),
      ({ code }: { code: string }) => code,
    );
    // Who went on opening would be in the way of the next one, or be counted once that has come as far.
    await (await start(confDir, mode)).close();
    return { outcome, total: listening.servers.length, open: listening.open };
  } finally {
    listening.restore();
  }
}

describe('Sidecar.start that is given up', () => {
  for (const mode of ['sidecar', 'transparent'] as const) {
    const listeners = mode === 'transparent' ? 6 : 5;
    it(`closes whatever it has opened and opens nothing more, at each step (${mode})`, async function () {
      if (mode === 'transparent' && process.platform !== 'linux') skipBecause(this, 'Linux only');
      await withConfFolder(await files(), async (confDir) => {
        const whole = await givenUp(confDir, mode, -1, 'has just opened');
        const steps = whole.total / 2;
        expect([whole.outcome, steps, whole.open]).to.deep.equal(['started', listeners, 0]);
        for (let step = 0; step < steps; step++) {
          for (const moment of ['is about to open', 'has just opened'] as const) {
            const found = await givenUp(confDir, mode, step, moment);
            const label = `when listener ${step} ${moment}`;
            expect(found, label).to.deep.equal({ outcome: 'MESH_ERR_STOPPED', total: step + 1 + steps, open: 0 });
          }
        }
      });
    });
  }

  it('opens nothing when it was given up before', async () => {
    await withConfFolder(await files(), async (confDir) => {
      const listening = new Listening(() => {});
      try {
        const refused = await start(confDir, 'sidecar', AbortSignal.abort()).catch(
          ({ code }: { code: string }) => code,
        );
        expect([refused, listening.servers]).to.deep.equal(['MESH_ERR_STOPPED', []]);
      } finally {
        listening.restore();
      }
    });
  });
});
