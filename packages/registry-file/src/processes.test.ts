import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import { Fixture } from './testing/fixture.js';

const REGISTRY = new URL('index.js', import.meta.url).href;
const CORE = import.meta.resolve('@mesher/core');

/** Beginning of every child's program: a registry on the directory that is its argument. */
const PRELUDE = `
  import { createFileRegistry } from '${REGISTRY}';
  import { makeInstance, silentLogger, systemPorts } from '${CORE}';
  const say = (value) => process.stdout.write(JSON.stringify(value) + '\\n');
  const signal = new AbortController().signal;
  const registry = createFileRegistry(
    { address: process.argv[1], leaseMs: 900, pollIntervalMs: 200 },
    { ports: systemPorts(), logger: silentLogger(), confDir: '.' },
  );
  const addresses = new Map([['rest', { host: '127.0.0.2', port: 30101, tls: false }]]);
  const self = makeInstance({ service: 'world', instanceId: process.argv[2] ?? '', addresses });
`;
/** Registers, says so, and stays. */
const PROVIDER = `${PRELUDE}
  await registry.registrator.register(self, signal);
  say('registered');
  process.stdin.resume();
`;
/** Says the instance ids of the service, and again whenever they change; a folder without instances makes no difference. */
const CONSUMER = `${PRELUDE}
  process.stdin.resume();
  let said;
  for await (const { instances } of registry.discovery.watch({ service: 'world' }, signal)) {
    const ids = instances.map(({ instanceId }) => instanceId);
    if (ids.join() !== said) say(ids);
    said = ids.join();
  }
`;
/** Does everything once, closes, and has nothing left to wait for. */
const VISITOR = `${PRELUDE}
  await registry.registrator.register(self, signal);
  for await (const { instances } of registry.discovery.watch({ service: 'world' }, signal)) {
    if (instances.length > 0) break;
  }
  await registry.discovery.close();
  say('closed');
`;
/** Ends its program in the middle of everything, without closing. */
const FORGETFUL = `${PRELUDE}
  await registry.registrator.register(self, signal);
  const watch = registry.discovery.watch({ service: 'world' }, signal)[Symbol.asyncIterator]();
  await watch.next();
  void watch.next();
`;

describe('Processes that share a directory', function () {
  this.timeout(30_000);
  let at: Fixture;
  beforeEach(async () => {
    at = await Fixture.make();
    await mkdir(at.path('disco'));
  });
  afterEach(() => at.close());

  const run = (program: string, ...args: string[]): ChildProcess => {
    const options = ['--input-type=module', '--eval', program, at.path('disco'), ...args];
    const child = spawn(process.execPath, options, { stdio: ['pipe', 'pipe', 'inherit'] });
    at.onClose(async () => {
      if (child.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) await once(child, 'exit');
    });
    return child;
  };
  const linesOf = ({ stdout }: ChildProcess): (() => Promise<unknown>) => {
    if (stdout === null) throw new Error('the child has no output');
    const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
    return async () => {
      const { done, value } = await lines.next();
      if (done === true) throw new Error('the child ended');
      return JSON.parse(value) as unknown;
    };
  };

  it('find each other, and see one that was killed expire while the other stays', async () => {
    const consumer = linesOf(run(CONSUMER));
    expect(await consumer()).to.deep.equal([]);
    const doomed = run(PROVIDER, 'doomed');
    expect(await consumer()).to.deep.equal(['doomed']);
    run(PROVIDER, 'steady');
    expect(await consumer()).to.deep.equal(['doomed', 'steady']);
    doomed.kill('SIGKILL');
    await once(doomed, 'exit');
    expect(await readdir(at.path('disco', '.instances', 'world'))).to.include('doomed.json');
    expect(await consumer()).to.deep.equal(['steady']);
  });

  it('see hand-written files beside the registrations', async () => {
    const consumer = linesOf(run(CONSUMER));
    expect(await consumer()).to.deep.equal([]);
    run(PROVIDER, 'w-1');
    expect(await consumer()).to.deep.equal(['w-1']);
    await writeFile(at.path('disco', 'world'), '127.0.0.1 8080');
    expect(await consumer()).to.deep.equal(['127.0.0.1:8080', 'w-1']);
  });

  it('end by themselves once the registry is closed, and leave no registration', async () => {
    const visitor = run(VISITOR);
    const next = linesOf(visitor);
    expect(await next()).to.equal('closed');
    if (visitor.exitCode === null) await once(visitor, 'exit');
    expect(visitor.exitCode).to.equal(0);
    expect(await readdir(at.path('disco', '.instances', 'world'))).to.deep.equal([]);
  });

  it('are not kept alive by a registry that nobody closed', async () => {
    const child = run(FORGETFUL);
    await once(child, 'exit');
    // 13: Node's way to say that a top-level await never came back; here the program ended before.
    expect(child.exitCode).to.be.oneOf([0, 13]);
    expect(await readdir(at.path('disco', '.instances', 'world'))).to.have.length(1);
  });
});
