import { expect } from 'chai';
import { makeSelfSigned } from '@mesher/core/testing';
import { requireBuilt } from '../support/built-program.js';
import { Consul } from '../support/consul.js';
import { eventually } from '../support/eventually.js';
import { useScene } from '../support/scene.js';
import type { Settings } from '../support/sidecar.js';

type Variables = Readonly<Record<string, string>>;

describe('a real Consul that does not serve everybody', function () {
  this.timeout(90_000);
  const scene = useScene();
  before(function () {
    requireBuilt(this, 'consul');
  });

  /** Two sidecars there, set up by the variables of Consul's own tools; the first calls the second. */
  async function mesh(consul: Consul, chassis: Settings, env: Variables): Promise<void> {
    await scene().service('mine-world', { chassis, env });
    const hello = await scene().sidecar({ service: 'mine-hello', host: 'none', chassis, env });
    expect((await hello.call('http://mine-world/')).status).to.equal(200);
    await eventually('it is registered', async () => (await consul.instances('mine-world')).length === 1);
  }

  /** Resolves once a sidecar says what is wrong; it does not become ready, and goes on trying. */
  async function complaint(chassis: Settings, env: Variables, what: RegExp): Promise<void> {
    void scene()
      .service('world', { chassis, env })
      .catch(() => undefined);
    await eventually(`a line with ${String(what)}`, () => what.test(scene().logs));
  }

  it('takes sidecars whose token may write their service, and shows them configuration', async () => {
    const consul = await Consul.start(scene(), { acl: true });
    const { tokens } = await consul.target();
    const env = { CONSUL_HTTP_TOKEN: tokens?.limited ?? '' };
    await mesh(consul, consul.settings, env);

    await consul.setKey('mine-config/mesher/serverTiming', 'true');
    const reader = await scene().sidecar({
      service: 'mine-reader',
      host: 'none',
      env,
      chassis: {
        ...consul.settings,
        'servicecomb.config.client': { type: 'consul', serverUri: consul.url, refreshMode: 0 },
        'plugin.settings.consul.places': 'mine-config/',
      },
    });
    await eventually('the key is in effect', async () =>
      (await reader.admin('/config')).body.includes('"consul: mesher.serverTiming"'),
    );
  });

  it('refuses a token for other services, and the sidecar says so, but not the token', async () => {
    const consul = await Consul.start(scene(), { acl: true });
    const { tokens } = await consul.target();
    const token = tokens?.limited ?? '';
    await complaint(consul.settings, { CONSUL_HTTP_TOKEN: token }, /Permission denied.*CONSUL_HTTP_TOKEN/);
    expect(scene().logs).to.not.include(token);
  });

  it('refuses strangers, and the sidecar says so', async () => {
    const consul = await Consul.start(scene(), { acl: true });
    await complaint(consul.settings, {}, /Permission denied.*CONSUL_HTTP_TOKEN/);
  });

  it('speaks TLS with sidecars that trust it and show a certificate', async () => {
    const { cert, key } = makeSelfSigned('consul');
    const files = { cert: await scene().write('consul.pem', cert), key: await scene().write('consul-key.pem', key) };
    const consul = await Consul.start(scene(), { tls: files });
    const env = {
      CONSUL_HTTP_ADDR: consul.tlsUrl,
      CONSUL_CACERT: files.cert,
      CONSUL_CLIENT_CERT: files.cert,
      CONSUL_CLIENT_KEY: files.key,
    };
    await mesh(consul, consul.settings, env);
    await complaint(consul.settings, { ...env, CONSUL_CACERT: '' }, /self.signed/i);
  });
});
