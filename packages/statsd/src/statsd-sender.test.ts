import { SmallFamily, METRICS, schemaDefaults, type MetricFamily } from '@mesher/core';
import { RecordingLogger, fakePorts, settle } from '@mesher/core/testing';
import { expect } from 'chai';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { statsdSchema, type StatsdOptions } from './statsd-schema.js';
import { StatsdSender } from './statsd-sender.js';

describe('the sender to StatsD', () => {
  const open: { close(): unknown }[] = [];
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close();
  });

  async function server(type: 'udp4' | 'udp6' = 'udp4'): Promise<{ port: number; next: () => Promise<string> }> {
    const socket = createSocket(type);
    socket.bind(0, type === 'udp4' ? '127.0.0.1' : '::1');
    await once(socket, 'listening');
    open.push({ close: () => new Promise<void>((resolve) => socket.close(() => resolve())) });
    const next = async (): Promise<string> => String((await once(socket, 'message'))[0]);
    return { port: socket.address().port, next };
  }

  /** One counter that goes up with each look. */
  function ticking(): MetricFamily {
    let value = 0;
    return new SmallFamily(METRICS.responses, () => [
      { labels: { direction: 'inbound', status: 200 }, value: ++value },
    ]);
  }

  function sender(
    options: Partial<StatsdOptions>,
    families: readonly MetricFamily[],
    lookup?: (host: string) => Promise<string>,
  ): { sender: StatsdSender; results: string[]; logger: RecordingLogger; ports: ReturnType<typeof fakePorts> } {
    const ports = fakePorts();
    const results: string[] = [];
    const logger = new RecordingLogger();
    const made = new StatsdSender(
      { ...schemaDefaults(statsdSchema), enabled: true, ...options },
      { families, ports, logger, count: (result) => results.push(result), ...(lookup === undefined ? {} : { lookup }) },
    );
    open.unshift(made);
    return { sender: made, results, logger, ports };
  }

  it('sends each interval what was counted in it, from the first call on', async () => {
    const { next, port } = await server();
    const {
      sender: statsd,
      ports,
      results,
    } = sender({ address: { host: '127.0.0.1', port }, prefix: 'netra', flushInterval: 500 }, [ticking()]);
    statsd.start();
    const first = next();
    ports.time.advance(500);
    expect(await first).to.equal('netra.inbound.200:1|c');
    await settle();
    const second = next();
    ports.time.advance(500);
    expect(await second).to.equal('netra.inbound.200:1|c');
    await statsd.flush();
    expect(results).to.include('sent').and.not.include('failed');
  });

  it('speaks to servers of IPv6', async () => {
    const { next, port } = await server('udp6');
    const { sender: statsd } = sender({ address: { host: '::1', port } }, [ticking()]);
    const first = next();
    await statsd.flush();
    expect(await first).to.equal('inbound.200:1|c');
  });

  it('sends the rest when it is closed, and nothing after that', async () => {
    const { next, port } = await server();
    const { sender: statsd, ports } = sender({ address: { host: '127.0.0.1', port } }, [ticking()]);
    statsd.start();
    const last = next();
    await statsd.close();
    expect(await last).to.equal('inbound.200:1|c');
    expect(ports.time.pendingTimers).to.equal(0);
  });

  it('loses no count while the name of the server is not known, and says so once a minute', async () => {
    const { next, port } = await server();
    let isKnown = false;
    const lookup = (): Promise<string> =>
      isKnown ? Promise.resolve('127.0.0.1') : Promise.reject(new Error('ENOTFOUND statsd'));
    let value = 0;
    const family = new SmallFamily(METRICS.responses, () => [{ labels: { direction: 'inbound', status: 200 }, value }]);
    const { sender: statsd, logger, ports } = sender({ address: { host: 'statsd', port } }, [family], lookup);
    for (let round = 0; round < 3; round++) {
      value += 2;
      await statsd.flush();
    }
    expect(logger.lines.map(({ message }) => message)).to.deep.equal(['numbers could not be sent to StatsD']);
    ports.time.advance(60_000);
    await statsd.flush();
    expect(logger.lines).to.have.length(2);
    isKnown = true;
    const first = next();
    await statsd.flush();
    expect(await first).to.equal('inbound.200:6|c');
  });

  it('follows a name to another address within a minute', async () => {
    const { next, port } = await server();
    const addresses = ['::1', '127.0.0.1'];
    const lookup = (): Promise<string> => Promise.resolve(addresses.shift() ?? '');
    const { sender: statsd, ports, results } = sender({ address: { host: 'statsd', port } }, [ticking()], lookup);
    const first = next();
    await statsd.flush();
    await statsd.flush();
    expect(results).to.deep.equal(['sent', 'sent']);
    ports.time.advance(60_000);
    await statsd.flush();
    expect(await first).to.equal('inbound.200:1|c');
    expect(addresses).to.deep.equal([]);
  });

  it('ends without an answer of the name server, and opens no socket when it comes later', async () => {
    let answer: (address: string) => void = () => {};
    const asked = new Promise<string>((resolve) => (answer = resolve));
    const {
      sender: statsd,
      ports,
      results,
      logger,
    } = sender({ address: { host: 'statsd', port: 9 } }, [ticking()], () => asked);
    const round = statsd.flush();
    const closed = statsd.close();
    ports.time.advance(500);
    await closed;
    answer('127.0.0.1');
    await round;
    expect([results, logger.lines.length]).to.deep.equal([[], 1]);
  });

  it('counts what the system does not take, and goes on', async () => {
    // Nobody may send to this address.
    const { sender: statsd, results, logger } = sender({ address: { host: '255.255.255.255', port: 9 } }, [ticking()]);
    await statsd.flush();
    await statsd.flush();
    expect(results).to.deep.equal(['failed', 'failed']);
    expect(logger.lines).to.have.length(1);
  });

  it('leaves out the families that nobody asked for', async () => {
    const { next, port } = await server();
    const lag = new SmallFamily(METRICS.loopLag, () => [{ labels: {}, value: 0.5 }]);
    const families = [lag, ticking()];
    const { sender: statsd } = sender({ address: { host: '127.0.0.1', port } }, families);
    const first = next();
    await statsd.flush();
    expect(await first).to.equal('inbound.200:1|c');
    const { sender: everything } = sender({ address: { host: '127.0.0.1', port }, families: ['process'] }, families);
    const second = next();
    await everything.flush();
    expect(await second).to.equal('nodejs_eventloop_lag_seconds:0.5|g');
  });
});
