import { expect } from 'chai';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chassisYaml, runRefused, writeConfFolder } from './support/conf-folder.js';
import { useScene } from './support/scene.js';

describe('a sidecar that cannot start', () => {
  const scene = useScene();

  it('ends with 3 when a value is wrong: every wrong one with file and line, all at once', async () => {
    const { dir } = await writeConfFolder(scene(), {
      'mesher.yaml': 'mesher:\n  serverTiming: maybe\n  metrics:\n    maxServices: many\n',
    });
    const { code, stderr } = await runRefused(dir);
    expect(code).to.equal(3);
    expect(stderr)
      .to.include(`${join(dir, 'mesher.yaml')}:2`)
      .and.to.include(`${join(dir, 'mesher.yaml')}:4`);
    expect(stderr).to.include('has 2 error(s)');
  });

  it('ends with 3 when a file is no YAML', async () => {
    const { dir } = await writeConfFolder(scene(), { 'mesher.yaml': 'mesher: [\n' });
    const { code, stderr } = await runRefused(dir);
    expect([code, stderr.includes('mesher.yaml:')]).to.deep.equal([3, true]);
  });

  it('ends with 3 when the service has no name, and says where to write it', async () => {
    const { dir } = await writeConfFolder(scene(), { 'microservice.yaml': '' });
    const { code, stderr } = await runRefused(dir);
    expect(code).to.equal(3);
    expect(stderr).to.include('servicecomb.service.name').and.to.include('microservice.yaml');
  });

  for (const any of ['0.0.0.0', '[::]']) {
    it(`ends with 3 when the sidecar should listen on ${any}, and says why and what to write instead`, async () => {
      const { dir, http, admin } = await writeConfFolder(scene(), {});
      await scene().write('conf/chassis.yaml', chassisYaml(`${any}:${http}`, admin));
      const { code, stderr } = await runRefused(dir);
      expect(code).to.equal(3);
      expect(stderr).to.match(
        /does not listen on (0\.0\.0\.0|::): .*told apart by the address.*for example 10\.0\.0\.7:/,
      );
    });
  }

  it('ends with 3 when the admin port should be reachable by others, unless that is allowed explicitly', async () => {
    const { dir, http, admin } = await writeConfFolder(scene(), {});
    const open = chassisYaml(`127.0.0.2:${http}`, admin).replace(`127.0.0.1:${admin}`, `0.0.0.0:${admin}`);
    await scene().write('conf/chassis.yaml', open);
    const { code, stderr } = await runRefused(dir);
    expect([code, stderr.includes('allowRemote')], stderr).to.deep.equal([3, true]);
  });

  it('ends with 3 when a resolver is unknown, and lists the known ones', async () => {
    const { dir } = await writeConfFolder(scene(), { 'mesher.yaml': 'plugin.destinationResolver.http: hots\n' });
    const { code, stderr } = await runRefused(dir);
    expect(code).to.equal(3);
    expect(stderr).to.match(/plugin\.destinationResolver\.http.*'hots'; known are authority, host, ip/);
  });

  it('ends with 3 when a module of the user cannot be loaded, and says which', async () => {
    const { dir } = await writeConfFolder(scene(), {
      'mesher.yaml': 'plugin.destinationResolver.http: ./missing.js\n',
    });
    const { code, stderr } = await runRefused(dir);
    expect([code, stderr.includes("'./missing.js'")], stderr).to.deep.equal([3, true]);
  });

  it('ends with 3 when the settings of a resolver of the user are wrong', async () => {
    const module = fileURLToPath(
      new URL('../../examples/path-prefix-resolver/dist/path-prefix-resolver.js', import.meta.url),
    );
    const { dir } = await writeConfFolder(scene(), {
      'mesher.yaml': `plugin:
  destinationResolver: { http: ${module} }
  settings:
    path-prefix:
      routes:
        - { prefix: orders, service: orders }
        - { prefix: /users/ }
`,
    });
    const { code, stderr } = await runRefused(dir);
    expect(code).to.equal(3);
    expect(stderr).to.include('mesher.yaml:6').and.to.include("a path that starts with '/'");
    expect(stderr).to.include('mesher.yaml:7').and.to.include('service');
  });

  it('ends with 3 when the registry is unknown, and lists the known ones', async () => {
    const { dir, http, admin } = await writeConfFolder(scene(), {});
    await scene().write('conf/chassis.yaml', chassisYaml(`127.0.0.2:${http}`, admin, 'registry: { type: etcd }'));
    const { code, stderr } = await runRefused(dir);
    expect(code).to.equal(3);
    expect(stderr).to.match(/servicecomb\.registry\.type.*'etcd'.*file/);
  });

  for (const [type, address] of [
    ['servicecenter', '127.0.0.1:99999'],
    ['consul', 'ftp://127.0.0.1:8500'],
  ] as const) {
    it(`ends with 3 when the address of a registry is none of ${type}`, async () => {
      const { dir, http, admin } = await writeConfFolder(scene(), {});
      const registry = `registry: { type: ${type}, address: '${address}' }`;
      await scene().write('conf/chassis.yaml', chassisYaml(`127.0.0.2:${http}`, admin, registry));
      const { code, stderr } = await runRefused(dir);
      expect([code, stderr.includes(`'${address}' is no address`)], stderr).to.deep.equal([3, true]);
    });
  }

  it('ends with 2 when --service-ports names a port of the sidecar itself', async () => {
    const { dir, admin } = await writeConfFolder(scene());
    const { code, stderr } = await runRefused(dir, [`--service-ports=rest:${admin}`]);
    expect(code, stderr).to.equal(2);
    expect(stderr).to.include(String(admin));
  });

  it('ends with 1 when a port is taken, names the port, and leaves nothing registered', async () => {
    const { dir, http } = await writeConfFolder(scene(), {});
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(http, '127.0.0.2', resolve));
    try {
      const { code, stderr } = await runRefused(dir);
      expect(code).to.equal(1);
      expect(stderr).to.include(`127.0.0.2:${http}`).and.to.include('in use');
      expect(readdirSync(scene().registry)).to.deep.equal([]);
    } finally {
      await new Promise((resolve) => holder.close(resolve));
    }
  });
});
