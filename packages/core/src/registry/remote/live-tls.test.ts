import { expect } from 'chai';
import { fakePorts } from '../../testing/fake-ports.js';
import { RecordingLogger } from '../../testing/recording-logger.js';
import { makeSelfSigned } from '../../testing/self-signed.js';
import { LiveTls } from './live-tls.js';
import type { RegistryTls } from './tls-files.js';

function tlsOf(name: string): RegistryTls {
  const { cert, key } = makeSelfSigned(name);
  return { cert: Buffer.from(cert), key: Buffer.from(key), rejectUnauthorized: true };
}

describe('TLS that follows its files', () => {
  const first = tlsOf('first');
  const second = tlsOf('second');
  const logger = new RecordingLogger();

  it('changes with them, and says so once', async () => {
    let files = first;
    let changes = 0;
    const tls = await LiveTls.open(() => Promise.resolve(files));
    tls.onChange(() => changes++);
    await tls.refresh(logger);
    files = second;
    await tls.refresh(logger);
    await tls.refresh(logger);
    expect([tls.current, changes]).to.deep.equal([second, 1]);
  });

  it('keeps what was good while they make no sense together, cannot be read, or are half written', async () => {
    const bad: (() => Promise<RegistryTls>)[] = [
      () => Promise.resolve({ ...second, key: first.key ?? Buffer.alloc(0) }),
      () => Promise.reject(new Error('cert.pem cannot be read (ENOENT)')),
      () => Promise.resolve({ ...second, cert: (second.cert ?? Buffer.alloc(0)).subarray(0, 100) }),
    ];
    let read = (): Promise<RegistryTls> => Promise.resolve(first);
    const log = new RecordingLogger();
    const tls = await LiveTls.open(() => read());
    for (const [at, trouble] of bad.entries()) {
      read = trouble;
      await tls.refresh(log);
      await tls.refresh(log);
      expect(tls.current).to.equal(first);
      expect(tls.trouble).to.be.a('string');
      expect(log.messages('warn')).to.have.length(at + 1);
    }
    read = () => Promise.resolve(second);
    await tls.refresh(log);
    expect([tls.current, tls.trouble]).to.deep.equal([second, undefined]);
  });

  it('looks at them at intervals until it is closed, and at nothing where there are none', async () => {
    const ports = fakePorts();
    let reads = 0;
    const tls = await LiveTls.open(() => {
      reads++;
      return Promise.resolve(first);
    });
    tls.follow(ports, 10_000, logger);
    ports.time.advance(12_000);
    while (ports.time.nextTimerAt === undefined) await new Promise((resolve) => setImmediate(resolve));
    expect(reads).to.equal(2);
    await tls.close();
    expect(ports.time.nextTimerAt).to.equal(undefined);
    const without = await LiveTls.open(() => Promise.resolve({ rejectUnauthorized: true }));
    without.follow(ports, 10_000, logger);
    expect(ports.time.nextTimerAt).to.equal(undefined);
  });

  it('is refused at the start for files that make no sense together, unless nobody uses them', async () => {
    const mixed = { ...second, key: first.key ?? Buffer.alloc(0) };
    const read = (): Promise<RegistryTls> => Promise.resolve(mixed);
    expect(await LiveTls.open(read).catch((error: unknown) => error)).to.be.instanceOf(Error);
    expect((await LiveTls.open(read, false)).current).to.equal(mixed);
  });
});
