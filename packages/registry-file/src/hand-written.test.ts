import { execFile } from 'node:child_process';
import { appendFile, mkdir, rename, rm, stat, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { skipBecause } from '@mesher/core/testing';
import { Fixture, idsOf, RecordingLogger } from './testing/fixture.js';

describe('Hand-written files', () => {
  let at: Fixture;
  beforeEach(async () => {
    at = await Fixture.make();
    await mkdir(at.path('disco'));
  });
  afterEach(() => at.close());

  const write = async (service: string, text: string) => await writeFile(at.path('disco', service), text);

  it('are services whose instances speak any protocol at one address', async () => {
    await write('world', '127.0.0.1 8080\n::1 8081 * 0.5\n');
    const { service, exists, instances } = await at.fake().see('world');
    expect({ service, exists }).to.deep.equal({ service: 'world', exists: true });
    expect(instances.map(({ addresses, ...rest }) => ({ ...rest, addresses: [...addresses] }))).to.deep.equal([
      {
        service: 'world',
        instanceId: '127.0.0.1:8080',
        app: 'default',
        version: '0.0.1',
        status: 'UP',
        weight: 1,
        metadata: {},
        addresses: [['*', { host: '127.0.0.1', port: 8080, tls: false }]],
      },
      {
        service: 'world',
        instanceId: '[::1]:8081',
        app: 'default',
        version: '0.0.1',
        status: 'UP',
        weight: 0.5,
        metadata: {},
        addresses: [['*', { host: '::1', port: 8081, tls: false }]],
      },
    ]);
  });

  it('say in tags what route rules choose by: version, application, anything', async () => {
    await write('world', '127.0.0.1 8080 version=2.0 app=shop zone=b\n');
    const [instance] = (await at.fake().see('world')).instances;
    expect(instance).to.include({ version: '2.0', app: 'shop' });
    expect(instance?.metadata).to.deep.equal({ version: '2.0', app: 'shop', zone: 'b' });
    await write('world', '127.0.0.1 8080 version=2.1\n');
    const changed = at.fake();
    expect((await changed.see('world')).instances[0]?.version).to.equal('2.1');
  });

  it('say in the tag protocol what is spoken there; any other value is a tag like others', async () => {
    await write(
      'world',
      '127.0.0.1 1 protocol=h2c\n127.0.0.1 2 protocol=grpc\n127.0.0.1 3 protocol=mine\n127.0.0.1 4\n',
    );
    const { instances } = await at.fake().see('world');
    expect(instances.map(({ addresses }) => [...addresses.keys()])).to.deep.equal([['h2c'], ['grpc'], ['*'], ['*']]);
    expect(instances[2]?.metadata).to.deep.equal({ protocol: 'mine' });
  });

  it('in folders are services with a path as name', async () => {
    await mkdir(at.path('disco', 'shop', 'eu'), { recursive: true });
    await write('shop/orders', 'a 1');
    await write('shop/eu/orders', 'b 2');
    const fake = at.fake();
    expect(await fake.ids('shop/orders')).to.deep.equal(['a:1']);
    expect(await fake.ids('shop/eu/orders')).to.deep.equal(['b:2']);
    expect((await fake.see('shop')).exists).to.equal(false);
  });

  it('that are empty are services without instances; without a file there is no service', async () => {
    await write('world', '# nobody yet\n');
    const fake = at.fake();
    expect(await fake.see('world')).to.deep.include({ exists: true, instances: [] });
    expect(await fake.see('other')).to.deep.include({ exists: false, instances: [] });
  });

  it('are read again when they change, and the revision tells', async () => {
    await write('world', 'a 1');
    const fake = at.fake();
    const before = await fake.see('world');
    await write('world', 'a 1\nb 2');
    const after = await fake.see('world');
    expect(idsOf(after)).to.deep.equal(['a:1', 'b:2']);
    expect(after.revision).not.to.equal(before.revision);
  });

  it('keep their revision when they are touched or only comments change', async () => {
    await write('world', 'a 1');
    const fake = at.fake();
    const { revision } = await fake.see('world');
    await utimes(at.path('disco', 'world'), 1, 1);
    expect((await fake.see('world')).revision).to.equal(revision);
    await write('world', '# still\na   1\n');
    expect((await fake.see('world')).revision).to.equal(revision);
    await write('world', 'a 2');
    expect((await fake.see('world')).revision).not.to.equal(revision);
  });

  it('are read again when content of the same length was written and the time put back', async () => {
    await write('world', 'a 1');
    const fake = at.fake();
    await fake.see('world');
    const { atime, mtime } = await stat(at.path('disco', 'world'));
    await write('world', 'b 2');
    await utimes(at.path('disco', 'world'), atime, mtime);
    expect(await fake.ids('world')).to.deep.equal(['b:2']);
  });

  it('with a bad line are reported by file and line, and the last good state stays in use until the line is mended', async () => {
    await write('world', 'a 1');
    const fake = at.fake();
    await fake.see('world');
    await write('world', 'a 1\nb 2\nc 70000\n');
    expect(await fake.ids('world')).to.deep.equal(['a:1']);
    expect(fake.registry.discovery.state().problems).to.deep.equal([
      'world:3: port "70000" is no number from 1 to 65535 in "c 70000"; the last good state of the file stays in use',
    ]);
    await write('world', 'a 1\nb 2\nc 7000\n');
    expect(await fake.ids('world')).to.deep.equal(['a:1', 'b:2', 'c:7000']);
    expect(fake.registry.discovery.state().problems).to.deep.equal([]);
  });

  it('that never were in order give their good lines and a report of the bad ones', async () => {
    await write('world', 'a 1\nnonsense\nb 2\n');
    const fake = at.fake();
    expect(await fake.ids('world')).to.deep.equal(['a:1', 'b:2']);
    expect(fake.registry.discovery.state().problems).to.deep.equal([
      `world:2: expected 'host port' or 'host port * weight', then tags in "nonsense"`,
    ]);
    await write('world', 'a 1\nnonsense\nc 3\n');
    expect(await fake.ids('world')).to.deep.equal(['a:1', 'c:3']);
  });

  it('with many bad lines are reported with ten of them and the count of the rest', async () => {
    await write('world', 'x\n'.repeat(25));
    const fake = at.fake();
    await fake.see('world');
    const { problems } = fake.registry.discovery.state();
    expect(problems).to.have.length(11);
    expect(problems.at(-1)).to.equal('world: 15 more lines like these');
  });

  it('are reported to the log once when they go bad and once when they are mended', async () => {
    const logger = new RecordingLogger();
    const fake = at.fake({}, logger);
    await write('world', 'a');
    await fake.see('world');
    await fake.see('world');
    await write('world', 'a 1');
    await fake.see('world');
    const about = logger.lines.filter((line) => line.includes('world:1'));
    expect(about.map((line) => line.slice(0, 30))).to.deep.equal([
      'warn file registry: world:1: e',
      'info file registry: mended: wo',
    ]);
  });

  it('that are truncated and written a moment later never lose their instances', async () => {
    await write('world', 'a 1');
    const fake = at.fake();
    const { revision } = await fake.see('world');
    await truncate(at.path('disco', 'world'));
    await fake.pass(900);
    expect((await fake.see('world')).revision).to.equal(revision);
    await appendFile(at.path('disco', 'world'), 'b 2');
    expect(await fake.ids('world')).to.deep.equal(['b:2']);
  });

  it('that stay empty for a second have no instances then', async () => {
    await write('world', 'a 1');
    const fake = at.fake();
    await fake.see('world');
    await truncate(at.path('disco', 'world'));
    await fake.see('world');
    await fake.pass(1_000);
    expect(await fake.see('world')).to.deep.include({ exists: true, instances: [] });
  });

  it('that are emptied twice with content between are doubted for a whole second each time', async () => {
    await write('world', 'a 1');
    const fake = at.fake();
    await fake.see('world');
    await truncate(at.path('disco', 'world'));
    await fake.pass(900);
    await write('world', 'a 1');
    await fake.pass(100);
    await truncate(at.path('disco', 'world'));
    await fake.see('world');
    await fake.pass(900);
    expect(await fake.ids('world')).to.deep.equal(['a:1']);
  });

  it('that are deleted and created again a moment later never stop to exist', async () => {
    await write('world', 'a 1');
    const fake = at.fake();
    await fake.see('world');
    await rm(at.path('disco', 'world'));
    await fake.pass(900);
    expect(await fake.see('world')).to.deep.include({ exists: true });
    await write('world', 'b 2');
    expect(await fake.ids('world')).to.deep.equal(['b:2']);
  });

  it('that are deleted stop to exist after a second', async () => {
    await write('world', 'a 1');
    const fake = at.fake();
    await fake.see('world');
    await rm(at.path('disco', 'world'));
    await fake.see('world');
    await fake.pass(1_000);
    expect(await fake.see('world')).to.deep.include({ exists: false, instances: [] });
  });

  it('with hidden or temporary names are no services', async () => {
    await mkdir(at.path('disco', '.git'));
    for (const name of ['.world.swp', '.git/config']) await write(name, 'a 1');
    const fake = at.fake();
    expect((await fake.see('.world.swp')).exists).to.equal(false);
    expect(fake.registry.discovery.state().problems).to.deep.equal([]);
  });

  it('with odd names are left out and reported', async () => {
    for (const name of ['world~', 'two words', 'new\nline', 'fine']) await write(name, 'a 1');
    const fake = at.fake();
    expect((await fake.see('world~')).exists).to.equal(false);
    expect(await fake.ids('fine')).to.deep.equal(['a:1']);
    expect([...fake.registry.discovery.state().problems].sort()).to.deep.equal([
      '"new\\nline": cannot be the name of a service, the file is left out',
      '"two words": cannot be the name of a service, the file is left out',
      '"world~": cannot be the name of a service, the file is left out',
    ]);
  });

  it('that are too large are reported and keep their last good state', async () => {
    await write('world', 'a 1');
    const fake = at.fake({ maxFileBytes: 20 });
    await fake.see('world');
    await write('world', 'a 1\nb 2\nc 3\nd 4\ne 5\nf 6\n');
    expect(await fake.ids('world')).to.deep.equal(['a:1']);
    expect(fake.registry.discovery.state().problems).to.deep.equal([
      'world: is larger than 20 bytes; the last good state of the file stays in use',
    ]);
  });

  it('beyond the limit on their number are left out and reported', async () => {
    for (const name of ['a', 'b', 'c', 'd']) await write(name, 'h 1');
    const fake = at.fake({ maxFiles: 3 });
    expect((await fake.see('c')).exists).to.equal(true);
    expect((await fake.see('d')).exists).to.equal(false);
    expect(fake.registry.discovery.state().problems[0]).to.match(
      /^more than 3 files and folders: the rest is left out/,
    );
  });

  it('that are no files, such as pipes and sockets, are left out and block nothing', async function () {
    if (process.platform === 'win32') skipBecause(this, 'needs named pipes in the file system');
    await promisify(execFile)('mkfifo', [at.path('disco', 'pipe')]);
    const server = createServer().listen(at.path('disco', 'socket'));
    at.onClose(async () => server.close());
    await write('world', 'a 1');
    const fake = at.fake();
    expect(await fake.ids('world')).to.deep.equal(['a:1']);
    expect([...fake.registry.discovery.state().problems].sort()).to.deep.equal([
      'pipe: is neither a file nor a folder and is left out',
      'socket: is neither a file nor a folder and is left out',
    ]);
  });

  it('behind symbolic links are followed; links that lead nowhere or in a circle are left out and reported', async () => {
    await mkdir(at.path('elsewhere', 'inner'), { recursive: true });
    await writeFile(at.path('elsewhere', 'inner', 'orders'), 'a 1');
    await symlink(at.path('elsewhere', 'inner'), at.path('disco', 'shop'));
    await symlink(at.path('disco'), at.path('disco', 'loop'));
    await symlink('nowhere', at.path('disco', 'dangling'));
    await symlink('self', at.path('disco', 'self'));
    const fake = at.fake();
    expect(await fake.ids('shop/orders')).to.deep.equal(['a:1']);
    expect([...fake.registry.discovery.state().problems].sort()).to.deep.equal([
      'dangling: is a symbolic link that leads nowhere',
      'loop: leads back to a folder above it and is left out',
      'self: cannot be looked at (ELOOP: too many symbolic links encountered)',
    ]);
  });

  it('of a ConfigMap are all read again when its ..data link is swapped', async () => {
    const publish = async (version: string, port: number) => {
      await mkdir(at.path('disco', version, 'shop'), { recursive: true });
      await write(`${version}/world`, `w ${port}`);
      await write(`${version}/shop/orders`, `o ${port}`);
      await symlink(version, at.path('disco', '..data_tmp'));
      await rename(at.path('disco', '..data_tmp'), at.path('disco', '..data'));
    };
    await publish('..2026_01', 1);
    await symlink('..data/world', at.path('disco', 'world'));
    await symlink('..data/shop', at.path('disco', 'shop'));
    const fake = at.fake();
    expect(await fake.ids('world')).to.deep.equal(['w:1']);
    await publish('..2026_02', 2);
    await rm(at.path('disco', '..2026_01'), { recursive: true });
    expect(await fake.ids('world')).to.deep.equal(['w:2']);
    expect(await fake.ids('shop/orders')).to.deep.equal(['o:2']);
    expect(fake.registry.discovery.state().problems).to.deep.equal([]);
  });

  it('do not make any difference to each other: a change of one service wakes no watch of another', async () => {
    await write('world', 'a 1');
    await write('other', 'b 2');
    const fake = at.fake();
    const world = at.watch(fake.registry, 'world');
    await world.next();
    let woken = false;
    const next = world.next().then((snapshot) => {
      woken = true;
      return snapshot;
    });
    await write('other', 'c 3');
    expect(await fake.ids('other')).to.deep.equal(['c:3']);
    expect(woken).to.equal(false);
    await write('world', 'd 4');
    await fake.registry.discovery.refresh();
    expect(idsOf(await next)).to.deep.equal(['d:4']);
  });
});
