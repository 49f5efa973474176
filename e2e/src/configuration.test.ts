import { expect } from 'chai';
import { dirname, join } from 'node:path';
import { skipBecause } from '@mesher/core/testing';
import type { Echo } from './support/app.js';
import { chassisYaml, startByHand, writeConfFolder, type Files } from './support/conf-folder.js';
import { eventually } from './support/eventually.js';
import { canListen } from './support/free-ports.js';
import { call } from './support/http-call.js';
import { useScene } from './support/scene.js';

describe('the configuration folder', () => {
  const scene = useScene();

  async function nameAt(admin: number): Promise<unknown> {
    const { body } = await call(`http://127.0.0.1:${admin}/v1/mesher/health`);
    return (JSON.parse(body) as { serviceName: unknown }).serviceName;
  }

  describe('is found', () => {
    it('at CHASSIS_CONF_DIR before all others', async () => {
      const { dir, admin } = await writeConfFolder(scene(), {});
      const other = await writeConfFolder(
        scene(),
        { 'microservice.yaml': 'servicecomb.service.name: other\n' },
        'home/conf',
      );
      await startByHand(scene(), [`--config=${join(other.dir, 'mesher.yaml')}`], {
        CHASSIS_CONF_DIR: dir,
        CHASSIS_HOME: dirname(other.dir),
      });
      expect(await nameAt(admin)).to.equal('world');
    });

    it('at $CHASSIS_HOME/conf', async () => {
      const { dir, admin } = await writeConfFolder(scene(), {}, 'home/conf');
      await startByHand(scene(), [], { CHASSIS_HOME: dirname(dir) });
      expect(await nameAt(admin)).to.equal('world');
    });

    it('beside the file of --config', async () => {
      const { dir, admin } = await writeConfFolder(scene(), {}, 'etc');
      await startByHand(scene(), ['--config', join(dir, 'mesher.yaml')], {});
      expect(await nameAt(admin)).to.equal('world');
    });

    it('at ./conf', async () => {
      const { dir, admin } = await writeConfFolder(scene(), {});
      await startByHand(scene(), [], {}, dirname(dir));
      expect(await nameAt(admin)).to.equal('world');
    });
  });

  describe('is read', () => {
    it('with a warning for an unknown key, which names file, line and the nearest known key', async () => {
      const { dir } = await writeConfFolder(scene(), { 'mesher.yaml': 'mesher:\n  severTiming: true\n' });
      const { output } = await startByHand(scene(), [], { CHASSIS_CONF_DIR: dir });
      const line = output.split('\n').find((text) => text.includes('severTiming')) ?? '';
      expect(line)
        .to.include('"level":"warn"')
        .and.to.include(`${join(dir, 'mesher.yaml')}:2`);
      expect(line).to.include('serverTiming');
    });

    it('in the spellings that users of the original still have', async () => {
      const { dir, http, admin } = await writeConfFolder(scene(), {
        'microservice.yaml': 'APPLICATION_ID: shop\nservice_description:\n  name: old-world\n  version: 1.2.3\n',
      });
      await scene().write(
        'conf/chassis.yaml',
        `cse:
  protocols:
    http: { listenAddress: "127.0.0.2:${http}" }
    rest-admin: { listenAddress: "127.0.0.1:${admin}" }
  service: { registry: { type: file, address: ../disco } }
`,
      );
      const { output } = await startByHand(scene(), [], { CHASSIS_CONF_DIR: dir });
      expect(await nameAt(admin)).to.equal('old-world');
      for (const present of ['servicecomb.protocols', 'servicecomb.registry', 'servicecomb.service.name']) {
        expect(output).to.include(present);
      }
      await eventually('it is registered with its application and version', async () => {
        const { body } = await call(`http://127.0.0.1:${admin}/services`);
        return body.includes('"app": "shop"') && body.includes('"version": "1.2.3"');
      });
    });

    it('with placeholders that take values from the environment', async () => {
      const { dir, admin } = await writeConfFolder(scene(), {
        'microservice.yaml': 'servicecomb.service.name: ${WHO||nobody}\n',
      });
      await startByHand(scene(), [], { CHASSIS_CONF_DIR: dir, WHO: 'somebody' });
      expect(await nameAt(admin)).to.equal('somebody');
    });
  });

  it('may name an IPv6 address: outbound on ::1 and 127.0.0.1, inbound there', async function () {
    if (!(await canListen('::1'))) skipBecause(this, 'this machine has no IPv6 loopback address');
    const { dir, http, admin } = await writeConfFolder(scene(), {});
    await scene().write('conf/chassis.yaml', chassisYaml(`[::1]:${http}`, admin));
    await scene().write('disco/target', `127.0.0.1 ${(await scene().app({ name: 'target' })).port}\n`);
    await startByHand(scene(), [], { CHASSIS_CONF_DIR: dir });
    for (const outbound of [`[::1]:${http}`, `127.0.0.1:${http}`]) {
      expect((await call('http://target/', { proxy: outbound })).status).to.equal(200);
    }
  });

  it('may leave the registry out: sidecars of one user on one machine meet in a folder of that user', async () => {
    const env = { XDG_RUNTIME_DIR: scene().folder };
    const world = await scene().app({ name: 'world' });
    const provider = await writeConfFolder(scene(), withoutRegistry('world', '127.0.0.2'), 'world');
    const log = await startByHand(scene(), [], {
      ...env,
      CHASSIS_CONF_DIR: provider.dir,
      SERVICE_PORTS: `rest:${world.port}`,
    });
    expect(log.output).to.match(/registry: file, because .*127\.0\.0\.1:30100/);
    const consumer = await writeConfFolder(scene(), withoutRegistry('hello', '127.0.0.1'), 'hello');
    await startByHand(scene(), [], { ...env, CHASSIS_CONF_DIR: consumer.dir });
    const { status, body } = await call('http://world/', { proxy: `127.0.0.1:${consumer.http}` });
    expect([status, (JSON.parse(body) as Echo).name]).to.deep.equal([200, 'world']);
  });

  function withoutRegistry(name: string, host: string) {
    return (http: number, admin: number): Files => ({
      'microservice.yaml': `servicecomb.service.name: ${name}\n`,
      'chassis.yaml': chassisYaml(`${host}:${http}`, admin, ''),
    });
  }
});
