import {
  loadConfiguration,
  makeInstance,
  registryClientOf,
  schemaDefaults,
  silentLogger,
  type Ports,
  type RegistryClient,
} from '@mesher/core';
import { FakeTime, FaultProxy, SeededRandom } from '@mesher/core/testing';
import { setMaxListeners } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServiceCenterRegistry, type ServiceCenterRegistry } from '../../create-service-center-registry.js';
import { serviceCenterSchema, type ServiceCenterOptions } from '../../options.js';
import type { Asked } from '../http/listener.js';
import { ServiceCenterServer } from '../service-center-server.js';
import { CountingTimers } from './counting-timers.js';

/** What a request is for. */
export type Purpose = 'watch' | 'heartbeat by websocket' | 'find' | 'heartbeat' | 'register' | 'other';

/** A request that reached service-center. */
export interface Arrival {
  /** Milliseconds of the herd's time. */
  readonly at: number;
  readonly purpose: Purpose;
}

export interface HerdSettings {
  readonly clients: number;
  readonly seed: number;
  /** More of `chassis.yaml`, as lines. */
  readonly yaml?: string;
  readonly options?: Partial<ServiceCenterOptions>;
}

/** A bound of requests that nothing else in a client has. */
const TIMEOUT_MS = 7_777;
/** Turns of the event loop after which whatever was to begin has begun. */
const TURNS = 4;

/**
 * Many clients of one service-center, each with real sockets, an instance that is registered, a service that is watched, and the delays
 * of the product in a time that a test moves on: what they do within minutes is seen within seconds, with the same outcome each time.
 */
export class Herd {
  readonly time = new FakeTime();
  readonly arrivals: Arrival[] = [];
  readonly #timers = new CountingTimers(this.time, TIMEOUT_MS);
  readonly #registries: ServiceCenterRegistry[] = [];
  readonly #abort = new AbortController();
  #seen = 0;

  private constructor(
    readonly center: ServiceCenterServer,
    readonly proxy: FaultProxy,
    private readonly confDir: string,
    private readonly settings: HerdSettings,
  ) {}

  /** Registers all of them and waits until each watches. */
  static async gather(settings: HerdSettings): Promise<Herd> {
    const confDir = await mkdtemp(join(tmpdir(), 'mesher-herd-'));
    const center = await ServiceCenterServer.start();
    const proxy = await FaultProxy.start({ port: center.port });
    const herd = new Herd(center, proxy, confDir, settings);
    await herd.#gather();
    return herd;
  }

  /** Lets time go on, timer by timer, and everything that is asked be answered before the next one. */
  async pass(ms: number): Promise<void> {
    const end = this.time.now() + ms;
    for (;;) {
      await this.#untilIdle();
      this.#note();
      const next = this.time.nextTimerAt ?? Infinity;
      if (next > end) break;
      this.time.advance(Math.max(0, next - this.time.now()));
    }
    this.time.advance(end - this.time.now());
  }

  /** Service-center is gone, and with it every connection. */
  async goDown(): Promise<void> {
    await this.proxy.set('refuse');
    this.proxy.cut('reset');
    await this.#untilIdle();
  }

  async comeBack(): Promise<void> {
    await this.proxy.heal();
  }

  /** Clients that watch at present. */
  get watching(): number {
    return this.center.watchers.count;
  }

  async close(): Promise<void> {
    await this.proxy.heal();
    this.#abort.abort();
    await Promise.all(this.#registries.map(({ discovery }) => discovery.close()));
    await this.proxy.close();
    await this.center.close();
    await rm(this.confDir, { recursive: true, force: true });
  }

  async #gather(): Promise<void> {
    const { clients, options } = this.settings;
    setMaxListeners(0, this.#abort.signal);
    const all = { ...schemaDefaults(serviceCenterSchema), ...options };
    const facts = await this.#configuration();
    this.center.seed({ appId: 'shop', serviceName: 'world', instances: [{ endpoints: ['rest://127.0.0.1:80'] }] });
    for (let number = 0; number < clients; number++) {
      const ports: Ports = {
        clock: this.time,
        timers: this.#timers,
        random: new SeededRandom(this.settings.seed + number),
      };
      const service = { ...facts.service, name: `caller-${number}` };
      const client = { ...facts, service };
      const context = { ports, logger: silentLogger(), confDir: this.confDir };
      this.#registries.push(await createServiceCenterRegistry(all, client, context));
    }
    await Promise.all(this.#registries.map((registry, number) => this.#begin(registry, number)));
    // A watch begins with the next change of the own identity, which may take a moment of real time.
    while (this.watching < clients) await this.pass(1);
    await this.#untilIdle();
    this.#note();
    this.arrivals.length = 0;
  }

  async #begin({ discovery, registrator }: ServiceCenterRegistry, number: number): Promise<void> {
    const addresses = new Map([['rest', { host: '127.0.0.1', port: 10_000 + number, tls: false }]]);
    const self = makeInstance({ service: `caller-${number}`, app: 'shop', instanceId: '', addresses });
    await registrator.register(self, this.#abort.signal);
    void this.#follow(discovery);
  }

  async #follow(discovery: ServiceCenterRegistry['discovery']): Promise<void> {
    const snapshots = discovery.watch({ service: 'world' }, this.#abort.signal)[Symbol.asyncIterator]();
    while ((await snapshots.next()).done !== true);
  }

  async #configuration(): Promise<RegistryClient> {
    const { yaml = '' } = this.settings;
    const lines = [
      `servicecomb.registry.address: ${this.proxy.url}`,
      `servicecomb.registry.timeout: ${TIMEOUT_MS}ms`,
      'servicecomb.registry.watch: true',
      yaml,
    ];
    await writeFile(join(this.confDir, 'chassis.yaml'), `${lines.join('\n')}\n`);
    await writeFile(join(this.confDir, 'microservice.yaml'), 'servicecomb.service: { name: caller, app: shop }\n');
    const sections = { 'servicecomb.registry.servicecenter': serviceCenterSchema };
    const { document, errors } = await loadConfiguration({ confDir: this.confDir, env: {}, sections });
    if (document === undefined) throw new Error(`the configuration is wrong: ${JSON.stringify(errors)}`);
    return registryClientOf(document);
  }

  async #untilIdle(): Promise<void> {
    for (let quiet = 0; quiet < TURNS; quiet++) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (this.#timers.waiting > 0) quiet = -1;
    }
  }

  #note(): void {
    const { asked } = this.center;
    for (const one of asked.slice(this.#seen)) this.arrivals.push({ at: this.time.now(), purpose: purposeOf(one) });
    this.#seen = asked.length;
  }
}

function purposeOf({ method, path }: Asked): Purpose {
  if (path.endsWith('/watcher')) return 'watch';
  if (path.endsWith('/heartbeat')) return method === 'GET' ? 'heartbeat by websocket' : 'heartbeat';
  if (path.endsWith('/instances/action')) return 'find';
  return method === 'POST' ? 'register' : 'other';
}
