import {
  loadConfiguration,
  registryClientOf,
  schemaDefaults,
  ServiceDirectory,
  silentLogger,
  steadyBalancing,
  systemPorts,
} from '@mesher/core';
import { FakeCall } from '@mesher/core/testing';
import { serviceCenterRegistry, serviceCenterSchema } from '@mesher/registry-servicecenter';
import { readTask, report } from '../load/helper.js';
import { SERVICE, type ClientTask, type Measured, type Turn } from './fleet.js';
import { LoopProbe } from './loop-probe.js';

/** Below what a configuration may say: the bench does not wait for 30 s. */
const REFRESH_MS = 700;
/** The work that follows a snapshot, and the collector, have this long to show. */
const SETTLE_MS = 100;
/** Garbage of other rounds is no matter of this one. */
const QUIET_MS = 1_000;

const task = readTask<ClientTask>();
const ports = systemPorts();
const logger = silentLogger();
const probe = new LoopProbe();

const wait = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await wait(2);
}

async function openDirectory(): Promise<ServiceDirectory> {
  const { confDir } = task;
  const { document } = await loadConfiguration({ confDir, env: {} });
  if (document === undefined) throw new Error('the configuration of the bench is wrong');
  const client = registryClientOf(document);
  const registryClient = { ...client, registry: { ...client.registry, refreshInterval: REFRESH_MS } };
  const options = { ...schemaDefaults(serviceCenterSchema), fullRefresh: 3_600_000 };
  const registry = await serviceCenterRegistry.create(options, { ports, logger, confDir, registryClient } as never);
  return new ServiceDirectory(registry.discovery, ports, logger, steadyBalancing(ports));
}

/** Runs `act` once per round and notes the longest turn until some time after it. */
class Sheet {
  readonly #turns: Turn[] = [];
  readonly #doneMs: number[] = [];

  constructor(private readonly what: string) {}

  async round(act: () => Promise<void>): Promise<void> {
    probe.take();
    const begunAt = performance.now();
    await act();
    this.#doneMs.push(performance.now() - begunAt);
    await wait(SETTLE_MS);
    this.#turns.push(probe.take());
  }

  /** The same for what takes one turn. */
  call(act: () => void): void {
    const begun = probe.take();
    const begunAt = performance.now();
    act();
    const wall = performance.now() - begunAt;
    const { cpu } = probe.take();
    this.#doneMs.push(wall);
    this.#turns.push({ wall, cpu: begun.cpu === undefined ? undefined : cpu });
  }

  get result(): Measured {
    return { what: this.what, turns: this.#turns, doneMs: this.#doneMs };
  }
}

/** Changes one instance, and goes on when it is known. */
async function changeOne(revision: () => unknown): Promise<void> {
  const before = revision();
  report({ change: true });
  await until(() => revision() !== before);
}

async function measureService(): Promise<readonly Measured[]> {
  const [first, firstCall] = [new Sheet('first answer'), new Sheet('first call')];
  const [change, call] = [new Sheet('one of them changes'), new Sheet('next call')];
  const directory = await openDirectory();
  await first.round(() => directory.whenKnown(SERVICE));
  const plan = directory.plan(SERVICE);
  if (plan?.state !== 'known') throw new Error('the registry of the bench does not answer');
  firstCall.call(() => void plan.pick(new FakeCall(), undefined));
  for (let round = 0; round < task.rounds; round++) {
    await wait(QUIET_MS);
    await change.round(() => changeOne(() => plan.snapshot?.revision));
    call.call(() => void plan.pick(new FakeCall(), undefined));
  }
  directory.close();
  return [first.result, firstCall.result, change.result, call.result];
}

async function measureIndex(): Promise<readonly Measured[]> {
  const [first, change] = [new Sheet('first index of addresses'), new Sheet('one address of the index changes')];
  const directory = await openDirectory();
  await first.round(() => directory.followAll());
  for (let round = 0; round < task.rounds; round++) {
    await wait(QUIET_MS);
    await change.round(() => changeOne(() => directory.listed));
  }
  directory.close();
  return [first.result, change.result];
}

probe.start();
await wait(QUIET_MS);
report({ results: task.everything ? await measureIndex() : await measureService() });
probe.stop();
process.exit(0);
