import { expect } from 'chai';
import { eventually } from './eventually.js';
import { SteadyCalls } from './load.js';
import { Patient } from './patient.js';
import type { Scene } from './scene.js';
import type { Settings, Sidecar } from './sidecar.js';

/** Seconds between two checks of the application; confirmed, as by default, after a quarter of that. */
const INTERVAL_S = 2;
/** A second check of the same sidecar always passes, once a second: time is counted where the checks are made, by no clock of the test. */
const TICK_S = 1;
const TWO_INTERVALS = (2 * INTERVAL_S) / TICK_S;

/** An instance of `world`: its application, in this process, and the sidecar that checks it. */
interface Provider {
  readonly patient: Patient;
  readonly sidecar: Sidecar;
  readonly port: number;
}

/** Where instances are registered, for a test of what happens when it forgets them. */
export interface ForgetfulRegistry {
  /** Resolves when it is there again, and knows nobody. */
  lose(): Promise<void>;
  /** What it shows of the instances of a service: the status by `host:port`. */
  statuses(service: string): Promise<ReadonlyMap<string, string>>;
}

/** Two instances of `world` and the sidecar of a caller, somewhere where instances are registered. */
export class HealthStory {
  private constructor(
    private readonly hello: Sidecar,
    private readonly sick: Provider,
    private readonly well: Provider,
  ) {}

  /** @param chassis keys that say where all three are registered */
  static async build(scene: Scene, chassis: Settings): Promise<HealthStory> {
    const hello = await scene.sidecar({ service: 'hello', host: 'none', chassis });
    const [sick, well] = [await provider(scene, 'sick', chassis), await provider(scene, 'well', chassis)];
    return new HealthStory(hello, sick, well);
  }

  /**
   * While calls go on, a check begins to fail, and later passes again: within two intervals the instance has left the pool of the caller,
   * and within two it is back; no call fails.
   */
  async tell(): Promise<void> {
    const { hello, sick, well } = this;
    const both = [addressOf(sick), addressOf(well)].sort();
    // The caller watches the services that it was asked for.
    await hello.call('http://world/');
    await this.#untilPoolIs(both);
    const calls = new SteadyCalls('http://world/', hello.outbound, 5);
    try {
      sick.patient.health = 500;
      expect(await this.#ticksUntilPoolIs([addressOf(well)]), 'ticks until it was out').to.be.at.most(TWO_INTERVALS);
      // Calls that were under way when the pool changed have ended by then.
      const [from, to] = [calls.names.length + 5, calls.names.length + 25];
      await eventually('more calls', () => calls.names.length > to);
      expect(new Set(calls.names.slice(from, to))).to.deep.equal(new Set(['well']));

      sick.patient.health = 200;
      expect(await this.#ticksUntilPoolIs(both), 'ticks until it was back').to.be.at.most(TWO_INTERVALS);
      const back = calls.names.length;
      await eventually('it is called', () => calls.names.slice(back).includes('sick'));
    } finally {
      await calls.stop();
    }
    expect(calls.failures).to.deep.equal([]);
  }

  /** No instance is well: that all of them leave at once is no reason to go on calling them. */
  async tellOfNobodyWell(): Promise<void> {
    const { hello, sick, well } = this;
    await hello.call('http://world/');
    await this.#untilPoolIs([addressOf(sick), addressOf(well)].sort());
    sick.patient.health = well.patient.health = 500;
    expect(await this.#ticksUntilPoolIs([]), 'ticks until both were out').to.be.at.most(TWO_INTERVALS);
    const { status, headers } = await hello.call('http://world/');
    expect([status, headers['x-mesher-error']]).to.deep.equal([503, 'MESH_ERR_NO_INSTANCE']);
    well.patient.health = 200;
    await this.#untilPoolIs([addressOf(well)]);
    expect((await hello.call('http://world/')).status).to.equal(200);
  }

  /**
   * A registry that loses its memory while an application is not well: its instance is registered again as it is, and no call goes there
   * until it is well.
   */
  async tellOfLostMemory(registry: ForgetfulRegistry): Promise<void> {
    const { hello, sick, well } = this;
    await hello.call('http://world/');
    await this.#untilPoolIs([addressOf(sick), addressOf(well)].sort());
    sick.patient.health = 500;
    await this.#untilPoolIs([addressOf(well)]);
    const calls = new SteadyCalls('http://world/', hello.outbound, 5);
    try {
      await registry.lose();
      const statuses = await eventually('both are registered again', async () => {
        const found = await registry.statuses('world');
        return found.size === 2 ? found : undefined;
      });
      expect(Object.fromEntries(statuses)).to.deep.equal({ [addressOf(sick)]: 'DOWN', [addressOf(well)]: 'UP' });
      const more = calls.names.length + 20;
      await eventually('more calls', () => calls.names.length > more);
      await this.#untilPoolIs([addressOf(well)]);
    } finally {
      await calls.stop();
    }
    expect(new Set(calls.names)).to.deep.equal(new Set(['well']));
    expect(calls.failures).to.deep.equal([]);
    sick.patient.health = 200;
    await this.#untilPoolIs([addressOf(sick), addressOf(well)].sort());
  }

  close(): void {
    this.sick.patient.close();
    this.well.patient.close();
  }

  async #ticksUntilPoolIs(addresses: readonly string[]): Promise<number> {
    const before = await this.#ticks();
    await this.#untilPoolIs(addresses);
    return (await this.#ticks()) - before;
  }

  async #untilPoolIs(addresses: readonly string[]): Promise<void> {
    await eventually(`the caller calls ${addresses.join(' and ')}`, async () => {
      const lines = await this.hello.instances('world');
      // The others have a reason behind their address.
      const pool = lines.filter((line) => !line.includes(': '));
      return pool.sort().join() === addresses.join();
    });
  }

  #ticks(): Promise<number> {
    const { port, sidecar } = this.sick;
    return sidecar.metric('mesher_local_health_checks_total', { check: `tcp:${port}`, result: 'passed' });
  }
}

async function provider(scene: Scene, name: string, chassis: Settings): Promise<Provider> {
  const patient = new Patient(JSON.stringify({ name }));
  const port = await patient.listen();
  const localHealthCheck = [
    { port, protocol: 'rest', uri: '/health', interval: `${INTERVAL_S}s`, match: { status: 200 } },
    { port, protocol: 'tcp', interval: `${TICK_S}s`, jitter: 0 },
  ];
  const args = [`--service-ports=rest:${port}`];
  const sidecar = await scene.sidecar({ service: 'world', args, chassis, mesher: { localHealthCheck } });
  return { patient, sidecar, port };
}

function addressOf({ sidecar }: Provider): string {
  return sidecar.inbound ?? '';
}
