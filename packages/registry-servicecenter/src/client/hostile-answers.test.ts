import { systemPorts } from '@mesher/core';
import { expect } from 'chai';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { ServiceCenterServer } from '../testing/index.js';
import { RegistryRig, type RigSettings } from './testing/registry-rig.js';

const QUICK = 'servicecomb.registry.timeout: 200ms\n';

function json(response: ServerResponse, body: string): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(body);
}

/** What a broken or hostile server, or whatever else listens at the address, may answer. */
const ANSWERS: Readonly<Record<string, RequestListener>> = {
  'a byte every 20 ms, for ever': (_request, response) => {
    const drip = systemPorts().timers.every(20, () => void response.write('['));
    response.on('close', () => drip.cancel());
  },
  'chunks without an end': (_request, response) => {
    const chunk = Buffer.alloc(65_536, '[');
    const flood = (): void => {
      while (!response.destroyed && response.write(chunk));
      if (!response.destroyed) response.once('drain', flood);
    };
    flood();
  },
  'a head only': (_request, response) => response.writeHead(200).flushHeaders(),
  'half of what it promised': (_request, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('{"services":');
    setImmediate(() => response.destroy());
  },
  'text that it calls compressed': (_request, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' }).end('{"services":{}}');
  },
  'a little that unpacks to a lot': (_request, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(20_000_000, '[')));
  },
  'an encoding that nobody knows': (_request, response) => {
    response.writeHead(200, { 'content-encoding': 'xz' }).end('\xfd7zXZ');
  },
  'a list in a list, thirty thousand deep': (_request, response) =>
    json(response, `${'['.repeat(30_000)}${']'.repeat(30_000)}`),
  'lists that never end': (_request, response) => json(response, '['.repeat(60_000)),
  'JSON that is no answer to the question': (_request, response) => json(response, '{}'),
  'a text': (_request, response) => json(response, '"ok"'),
  nothing: (_request, response) => response.end(),
  'a status that nobody knows': (_request, response) => response.writeHead(299).end('?'),
  'a redirect to itself': (request, response) => response.writeHead(307, { location: request.url ?? '/' }).end(),
  'a code of which no number can be made': (_request, response) => {
    response.writeHead(400).end('{"errorCode":{"valueOf":1,"toString":1},"errorMessage":["x"],"detail":7}');
  },
};

describe('an address of service-center that answers', () => {
  const closing: (() => Promise<unknown>)[] = [];
  const rigs: RegistryRig[] = [];

  async function open(settings: RigSettings): Promise<RegistryRig> {
    const rig = await RegistryRig.open(settings);
    rigs.push(rig);
    return rig;
  }

  async function serve(listener: RequestListener): Promise<string> {
    const server: Server = createServer(listener);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push(() => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async function start(...options: Parameters<typeof ServiceCenterServer.start>): Promise<ServiceCenterServer> {
    const center = await ServiceCenterServer.start(...options);
    closing.push(() => center.close());
    return center;
  }

  afterEach(async () => {
    await Promise.all(rigs.splice(0).map((rig) => rig.close()));
    await Promise.all(closing.splice(0).map((close) => close()));
  });

  for (const [words, answer] of Object.entries(ANSWERS)) {
    it(`with ${words} keeps nobody from the address that works`, async () => {
      const center = await start();
      center.seed({ appId: 'shop', environment: 'testing', serviceName: 'world', instances: [{ instanceId: 'a' }] });
      const bad = await serve(answer);
      const options = { maxResponseBytes: 65_536, quarantine: 60_000 };
      const rig = await open({ address: `${bad},${center.url}`, yaml: QUICK, options });
      // In turn: one of the two begins with the bad one.
      for (const name of ['world', 'nobody'])
        await rig.watch(name).until(({ exists }) => exists === (name === 'world'));
      await rig.register();
      expect(rig.registry.discovery.state().freshness).to.equal('fresh');
    });
  }

  it('once per connection, and closes it when it is used again, is asked over another one', async () => {
    const used = new Set<unknown>();
    let closed = 0;
    const address = await serve((request, response) => {
      if (used.has(request.socket)) {
        closed++;
        request.socket.destroy();
        return;
      }
      used.add(request.socket);
      json(response, '{"services":{"updated":[{"rev":"r","instances":[]}]}}');
    });
    const rig = await open({ address });
    for (const name of ['a', 'b', 'c']) expect((await rig.watch(name).next()).exists).to.equal(true);
    expect([closed, rig.registry.discovery.state().counts]).to.deep.equal([2, {}]);
  });

  it('with a redirect to elsewhere hands over neither token nor question', async () => {
    const asked: string[] = [];
    const elsewhere = await serve((request, response) => {
      asked.push(request.url ?? '');
      response.end('{}');
    });
    const center = await start({ rbac: { rootPassword: 'Complicated_password1' } });
    const account = 'servicecomb.credentials.account: { name: root, password: Complicated_password1 }\n';
    const rig = await open({ address: center.url, yaml: `${account}servicecomb.registry.watch: true\n` });
    await rig.register();
    await center.untilWatchers(1);
    center.failure = { status: 302, headers: { location: `${elsewhere}/v4/default/registry/instances/action` } };
    center.dropSockets();
    void rig
      .watch('world')
      .next()
      .catch(() => {});
    await center.untilAsked(({ path }) => path.endsWith('/watcher'), 3);
    await center.untilAsked(({ path }) => path.endsWith('/instances/action'), 3);
    expect(asked).to.deep.equal([]);
    expect(rig.registry.discovery.state().lastError).to.contain('302');
  });

  it('is asked itself, whatever proxy the environment names: that is the sidecar, for the application beside it', async () => {
    const asked: string[] = [];
    const proxy = await serve((request, response) => {
      asked.push(request.url ?? '');
      response.writeHead(502).end();
    });
    const center = await start();
    const variables = ['http_proxy', 'HTTP_PROXY', 'no_proxy', 'NO_PROXY'];
    const before = variables.map((name) => [name, process.env[name]] as const);
    for (const name of variables) process.env[name] = name.startsWith('no') || name.startsWith('NO') ? '' : proxy;
    try {
      const rig = await open({ address: center.url });
      await rig.register();
    } finally {
      for (const [name, value] of before) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    }
    expect(asked).to.deep.equal([]);
  });

  it('with megabytes of reasons is quoted in few words', async () => {
    const long = 'why '.repeat(500_000);
    const address = await serve((_request, response) => {
      response.writeHead(400).end(JSON.stringify({ errorCode: '400002', errorMessage: long, detail: long }));
    });
    const rig = await open({ address });
    const all = rig.registry.discovery.watchAll(rig.signal)[Symbol.asyncIterator]();
    const error: unknown = await all.next().catch((reason: unknown) => reason);
    expect((error as Error).message)
      .to.contain('400002: why why')
      .and.have.length.below(500);
  });
});
