import { ROOT_PASSWORD } from '@mesher/registry-servicecenter/testing';
import { skipBecause } from '@mesher/core/testing';
import { expect } from 'chai';
import { run, requireProgram } from '../support/command.js';
import { eventually } from '../support/eventually.js';
import { useScene } from '../support/scene.js';
import { GENERATION, requireServiceCenter, ServiceCenter } from '../support/service-center.js';
import type { Settings } from '../support/sidecar.js';

/** Says the code of the answer, and where to look. */
const REFUSED = /answered 401\d{3}: [^"]*; check servicecomb\.credentials\.account\.\{name,password\}/;

describe('a real service-center that does not serve everybody', function () {
  this.timeout(90_000);
  const scene = useScene();
  before(function () {
    requireServiceCenter(this);
  });

  /** Two sidecars there; the first calls the second. */
  async function mesh(center: ServiceCenter, settings: Settings): Promise<void> {
    const chassis = { ...center.settings, ...settings };
    await scene().service('world', { chassis });
    const hello = await scene().sidecar({ service: 'hello', host: 'none', chassis });
    expect((await hello.call('http://world/')).status).to.equal(200);
    await eventually('it is registered', async () => (await center.instances('world')).length === 1);
  }

  /** Resolves once a sidecar says what is wrong; it does not become ready, and goes on trying. */
  async function complaint(settings: Settings, what: RegExp = REFUSED): Promise<void> {
    void scene()
      .service('world', { chassis: settings })
      .catch(() => undefined);
    await eventually(`a line with ${String(what)}`, () => what.test(scene().logs));
  }

  it('takes sidecars with the name and password of their configuration', async () => {
    const center = await ServiceCenter.start(scene(), { rbac: true });
    await mesh(center, {
      'servicecomb.credentials.account.name': 'root',
      'servicecomb.credentials.account.password': ROOT_PASSWORD,
    });
    expect((await fetch(`${center.url}/v4/default/registry/microservices`)).status).to.equal(401);
  });

  it('refuses a wrong password, and the sidecar says so', async () => {
    const center = await ServiceCenter.start(scene(), { rbac: true });
    const wrong = {
      'servicecomb.credentials.account.name': 'root',
      'servicecomb.credentials.account.password': 'Wrong-1234',
    };
    await complaint({ ...center.settings, ...wrong });
    expect(scene().logs).to.not.include('Wrong-1234');
  });

  it('refuses strangers, and the sidecar says so', async () => {
    const center = await ServiceCenter.start(scene(), { rbac: true });
    await complaint(center.settings);
  });

  describe('speaking TLS', () => {
    let center: ServiceCenter;
    let folder: string;
    beforeEach(async function () {
      requireProgram(this, 'openssl', 'version');
      if (GENERATION === 2) skipBecause(this, 'a service-center 2.x that speaks TLS asks its etcd by TLS, too');
      folder = `${scene().folder}/ssl`;
      await scene().write('ssl/cert_pwd', '');
      const [key, cert] = [`${folder}/server_key.pem`, `${folder}/server.cer`];
      const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-days', '2'];
      const made = await run('openssl', [
        ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert],
        ...subject,
      ]);
      expect(made.code, made.stderr).to.equal(0);
      await run('cp', [cert, `${folder}/trust.cer`]);
      center = await ServiceCenter.start(scene(), { tlsFolder: folder });
    });

    it('takes sidecars that trust it', async () => {
      const chassis = { ...center.settings, 'ssl.registry.Consumer.caFile': `${folder}/trust.cer` };
      await scene().service('world', { chassis });
      const hello = await scene().sidecar({ service: 'hello', host: 'none', chassis });
      expect((await hello.call('http://world/')).status).to.equal(200);
    });

    it('is not believed by a sidecar that does not know who signed its certificate', async () => {
      await complaint(center.settings, /cannot be asked: DEPTH_ZERO_SELF_SIGNED_CERT/);
    });
  });

  it('runs its etcd within itself, and keeps its state over a kill there, too', async () => {
    const center = await ServiceCenter.start(scene(), { embeddedEtcd: true });
    await mesh(center, {});
    const [before] = await center.instances('world');
    await center.kill();
    await center.start();
    expect((await center.instances('world')).map(({ instanceId }) => instanceId)).to.deep.equal([before?.instanceId]);
  });
});
