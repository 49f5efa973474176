import { expect } from 'chai';
import { mkdir, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { curl, requireCurl } from './support/command.js';
import type { Echo } from './support/app.js';
import { useScene } from './support/scene.js';
import type { Settings, Sidecar } from './support/sidecar.js';
import { converse, H2cApp, TcpApp } from './support/wire-apps.js';

const EXAMPLE = 'example-path-prefix-resolver';
const EXAMPLE_FOLDER = fileURLToPath(new URL('../../examples/path-prefix-resolver', import.meta.url));
const EXAMPLE_MODULE = join(EXAMPLE_FOLDER, 'dist', 'path-prefix-resolver.js');

const ROUTES = {
  'plugin.settings.path-prefix.routes': [
    { prefix: '/orders/', service: 'orders' },
    { prefix: '/orders/returns/', service: 'returns' },
  ],
};

const GRPC = 'content-type: application/grpc';

describe('the resolver that mesher.yaml chooses', () => {
  const scene = useScene();

  async function startCaller(mesher: Settings): Promise<Sidecar> {
    return await scene().sidecar({ service: 'hello', host: 'none', mesher });
  }

  async function answererOf(caller: Sidecar, url: string): Promise<string> {
    const { status, headers, body } = await caller.call(url);
    return status === 200 ? (JSON.parse(body) as Echo).name : `${status} ${String(headers['x-mesher-error'])}`;
  }

  it('host, which is the default, takes the name in the URL and knows no addresses', async () => {
    const { sidecar } = await scene().service('world');
    const caller = await startCaller({});
    expect(await answererOf(caller, 'http://world/')).to.equal('world');
    expect(await answererOf(caller, `http://${sidecar.inbound}/`)).to.equal('404 MESH_ERR_NO_ROUTE');
  });

  it('ip takes the address in the URL, finds which service is registered there, and knows no names', async () => {
    const { sidecar } = await scene().service('world');
    const caller = await startCaller({ 'plugin.destinationResolver.http': 'ip' });
    expect(await answererOf(caller, `http://${sidecar.inbound}/`)).to.equal('world');
    expect(await answererOf(caller, `http://${sidecar.inbound?.split(':')[0]}/`)).to.equal('world');
    expect(await answererOf(caller, 'http://world/')).to.equal('404 MESH_ERR_NO_ROUTE');
  });

  it('is another one for each protocol: by name for HTTP, by modules of the user for gRPC and TCP', async function () {
    requireCurl(this, 'HTTP2');
    await scene().service('world');
    const h2c = await H2cApp.start('over http/2');
    const tcp = await TcpApp.start('over tcp');
    try {
      await scene().write('disco/h2c', `127.0.0.1 ${h2c.port}\n`);
      await scene().write('disco/tcp', `127.0.0.1 ${tcp.port}\n`);
      const module = (service: string): Promise<string> =>
        scene().write(`resolvers/${service}.mjs`, alwaysResolver(service));
      const caller = await startCaller({
        plugin: { destinationResolver: { http: 'host', grpc: await module('h2c'), tcp: await module('tcp') } },
      });
      expect(await answererOf(caller, 'http://world/')).to.equal('world');
      expect(await curl('--http2-prior-knowledge', '-H', GRPC, `http://${caller.outbound}/`)).to.equal('over http/2');
      expect(await converse(caller.outbound, 'no HTTP at all\n')).to.equal('over tcp');
    } finally {
      await h2c.stop();
      await tcp.stop();
    }
  });

  describe('can be of the user:', () => {
    beforeEach(async () => {
      for (const name of ['orders', 'returns', 'world']) await scene().service(name);
    });

    async function expectByPath(caller: Sidecar): Promise<void> {
      expect(await answererOf(caller, `http://${caller.outbound}/orders/17`)).to.equal('orders');
      expect(await answererOf(caller, 'http://world/orders/returns/3?x=1')).to.equal('returns');
      expect(await answererOf(caller, 'http://world/elsewhere')).to.equal('404 MESH_ERR_NO_ROUTE');
    }

    it('a path, which starts at the configuration folder', async () => {
      const fromConf = relative(join(scene().folder, 'any-conf'), EXAMPLE_MODULE);
      await expectByPath(await startCaller({ 'plugin.destinationResolver.http': fromConf, ...ROUTES }));
    });

    it('an absolute path', async () => {
      await expectByPath(await startCaller({ 'plugin.destinationResolver.http': EXAMPLE_MODULE, ...ROUTES }));
    });

    it('a package that is installed beside the configuration', async () => {
      const installed = join(scene().folder, 'node_modules', '@mesher', EXAMPLE);
      await mkdir(dirname(installed), { recursive: true });
      await symlink(EXAMPLE_FOLDER, installed);
      await expectByPath(await startCaller({ 'plugin.destinationResolver.http': `@mesher/${EXAMPLE}`, ...ROUTES }));
    });

    it('the name of a plugin from a module that is listed under plugins', async () => {
      await expectByPath(
        await startCaller({ plugins: [EXAMPLE_MODULE], 'plugin.destinationResolver.http': 'path-prefix', ...ROUTES }),
      );
    });

    it('one that throws: that call is answered with 500, the next one is decided anew', async () => {
      const path = await scene().write('resolvers/moody.mjs', MOODY_RESOLVER);
      const caller = await startCaller({ 'plugin.destinationResolver.http': path });
      expect(await answererOf(caller, 'http://world/throw')).to.equal('500 MESH_ERR_PLUGIN');
      expect(await answererOf(caller, 'http://world/reject')).to.equal('500 MESH_ERR_PLUGIN');
      expect(await answererOf(caller, 'http://world/later')).to.equal('world');
    });
  });
});

const CORE = JSON.stringify(import.meta.resolve('@mesher/core'));

/** A module of a user, with a resolver that sends everything to one service. */
function alwaysResolver(service: string): string {
  return `import { definePlugin } from ${CORE};
export const always = definePlugin({
  kind: 'destination-resolver',
  name: 'always-${service}',
  create: () => ({ resolve: () => ({ service: '${service}' }) }),
});
`;
}

const MOODY_RESOLVER = `import { definePlugin } from ${CORE};
export const moody = definePlugin({
  kind: 'destination-resolver',
  name: 'moody',
  create: () => ({
    resolve(call) {
      if (call.path === '/throw') throw new Error('in no mood');
      return call.path === '/reject' ? Promise.reject(new Error('changed my mind')) : Promise.resolve({ service: 'world' });
    },
  }),
});
`;
