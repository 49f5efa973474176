import { expect } from 'chai';
import { closeSync, openSync } from 'node:fs';
import { systemPorts } from '../ports/system.js';
import { fakePorts } from '../testing/fake-ports.js';
import { parsePrometheusText } from '../testing/prometheus-text.js';
import { skipBecause } from '../testing/skip-because.js';
import { MetricsPage } from './metrics-page.js';
import { processFamilies, processStartTimeSeconds } from './process-metrics.js';

async function read(page: MetricsPage): Promise<(name: string) => number> {
  const families = parsePrometheusText((await page.render()).body);
  return (name) => families.get(name)?.samples[0]?.value ?? Number.NaN;
}

describe('processFamilies', () => {
  const { clock } = systemPorts();
  const page = new MetricsPage(processFamilies({ version: '0.1.0' }, processStartTimeSeconds(clock), clock));

  it('tell CPU time, memory and event loop time of this process in base units', async () => {
    const metric = await read(page);
    const cpu = process.cpuUsage();
    expect(metric('process_cpu_seconds_total')).to.be.within(0.01, (cpu.user + cpu.system) / 1e6);
    expect(metric('process_resident_memory_bytes')).to.be.within(process.memoryUsage().heapUsed / 4, 4e9);
    expect(metric('nodejs_heap_size_used_bytes')).to.be.within(1e6, metric('nodejs_heap_size_total_bytes'));
    expect(metric('nodejs_eventloop_active_seconds_total')).to.be.within(0.001, process.uptime());
    expect(metric('nodejs_eventloop_idle_seconds_total')).to.be.within(0, process.uptime());
    expect(metric('nodejs_eventloop_lag_seconds')).to.be.within(0, 60);
  });

  it('tell when the process started', () => {
    const { clock: standing } = fakePorts();
    const uptime = process.uptime();
    expect(standing.wallTime() / 1000 - processStartTimeSeconds(standing)).to.be.within(uptime, uptime + 5);
  });

  it('count open file descriptors and know their limit', async function () {
    if (process.platform !== 'linux') skipBecause(this, 'only Linux has /proc');
    const before = (await read(page))('process_open_fds');
    const opened = Array.from({ length: 60 }, () => openSync(process.execPath, 'r'));
    const metric = await read(page);
    opened.forEach(closeSync);
    // Sockets of other tests may close meanwhile.
    expect(metric('process_open_fds') - before).to.be.within(30, 90);
    expect(metric('process_max_fds')).to.be.greaterThan(metric('process_open_fds'));
  });

  it('name the versions that run', async () => {
    const families = parsePrometheusText((await page.render()).body);
    expect([...(families.get('mesher_build_info')?.samples[0]?.labels ?? [])]).to.deep.equal([
      ['version', '0.1.0'],
      ['node', process.versions.node],
    ]);
  });
});
