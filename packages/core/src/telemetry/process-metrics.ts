import { readFile, readdir } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import type { Clock } from '../ports/ports.js';
import { METRICS } from './metric-catalog.js';
import { SmallFamily } from './metric-family.js';
import type { MetricDefinition, MetricFamily, Sample } from './metric-family.js';

export interface BuildInfo {
  /** Version of Mesher. */
  readonly version: string;
  /** Version of Node.js without the leading `v`; default the running one. */
  readonly node?: string;
}

/** Where Linux describes the process that reads. */
const PROC_SELF = '/proc/self';

const MICROSECONDS = 1e6;
const MILLISECONDS = 1e3;

/**
 * The families of the page about this process, under the names that Prometheus and Node dashboards know. Everything is asked for at
 * scrape time: no timer, no hook, nothing to pay between scrapes. That is why the load of the event loop is exported as two
 * counters that libuv keeps anyway (`rate(active) / (rate(active) + rate(idle))` is the utilization, for any number of scrapers)
 * and its lag as one sample per scrape, not as a histogram, which would need a timer that never rests.
 */
export function processFamilies(build: BuildInfo, startTimeSeconds: number, clock: Clock): MetricFamily[] {
  const value = (definition: MetricDefinition, read: () => number): MetricFamily =>
    new SmallFamily(definition, () => [{ labels: {}, value: read() }]);
  return [
    value(METRICS.cpuSeconds, () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / MICROSECONDS;
    }),
    value(METRICS.residentMemory, () => process.memoryUsage.rss()),
    value(METRICS.startTime, () => startTimeSeconds),
    new WaitingFamily(METRICS.openFds, openFileDescriptors),
    new WaitingFamily(METRICS.maxFds, maxFileDescriptors),
    value(METRICS.heapUsed, () => process.memoryUsage().heapUsed),
    value(METRICS.heapTotal, () => process.memoryUsage().heapTotal),
    value(METRICS.externalMemory, () => process.memoryUsage().external),
    new WaitingFamily(METRICS.loopLag, () => eventLoopLag(clock)),
    value(METRICS.loopActive, () => performance.eventLoopUtilization().active / MILLISECONDS),
    value(METRICS.loopIdle, () => performance.eventLoopUtilization().idle / MILLISECONDS),
    new SmallFamily(METRICS.buildInfo, () => [
      { labels: { version: build.version, node: build.node ?? process.versions.node }, value: 1 },
    ]),
  ];
}

/** When this process started, in seconds since 1970-01-01 UTC. */
export function processStartTimeSeconds(clock: Clock): number {
  return clock.wallTime() / MILLISECONDS - process.uptime();
}

/** One value that takes a moment to find out; without a sample when it cannot be found out here. */
class WaitingFamily implements MetricFamily {
  constructor(
    readonly definition: MetricDefinition,
    private readonly read: () => Promise<number | undefined>,
  ) {}

  async *slices(): AsyncIterable<readonly Sample[]> {
    const value = await this.read();
    yield value === undefined ? [] : [{ labels: {}, value }];
  }
}

/** Open descriptors, without the one that the listing itself needs; undefined where there is no `/proc`. */
async function openFileDescriptors(): Promise<number | undefined> {
  try {
    return (await readdir(`${PROC_SELF}/fd`)).length - 1;
  } catch {
    return undefined;
  }
}

/** The soft limit (it is the one that `EMFILE` comes from); undefined when it is `unlimited` or there is no `/proc`. */
async function maxFileDescriptors(): Promise<number | undefined> {
  try {
    const limits = await readFile(`${PROC_SELF}/limits`, 'utf8');
    const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}

function eventLoopLag(clock: Clock): Promise<number> {
  const start = clock.now();
  return new Promise((resolve) => {
    setImmediate(() => resolve((clock.now() - start) / MILLISECONDS));
  });
}
