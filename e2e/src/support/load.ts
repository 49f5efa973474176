import { Agent } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { call } from './http-call.js';

export interface LoadOptions {
  readonly url: string;
  /** `host:port` of the sidecar that the client uses as proxy. */
  readonly proxy: string;
  readonly total: number;
  readonly parallel: number;
  /** Called once, after so many answers, while the load goes on. */
  readonly midway: { readonly after: number; readonly act: () => unknown };
}

export interface LoadReport {
  /** The `name` in each answer, in the order in which the answers came. */
  readonly names: readonly string[];
  /** What went wrong, one line each; every GET that is not answered with 200 is here. */
  readonly failures: readonly string[];
}

/** Sends GETs over kept connections, some in parallel, and reports who answered and what failed. */
export async function runLoad({ url, proxy, total, parallel, midway }: LoadOptions): Promise<LoadReport> {
  const agent = new Agent({ keepAlive: true, maxSockets: parallel });
  const names: string[] = [];
  const failures: string[] = [];
  let sent = 0;
  let midwayDone: unknown;
  const worker = async (): Promise<void> => {
    while (sent < total) {
      const number = ++sent;
      try {
        const { status, body } = await call(url, { proxy, agent });
        if (status === 200) names.push((JSON.parse(body) as { name: string }).name);
        else failures.push(`GET ${number}: ${status} ${body.trim()}`);
      } catch (error) {
        failures.push(`GET ${number}: ${String(error)}`);
      }
      if (midwayDone === undefined && names.length + failures.length >= midway.after) midwayDone = midway.act() ?? true;
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  await midwayDone;
  agent.destroy();
  return { names, failures };
}

/** Calls one after the other until it is told to stop, for changes that calls must not notice. */
export class SteadyCalls {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 2 });
  readonly #done: Promise<void[]>;
  readonly names: string[] = [];
  readonly failures: string[] = [];
  #stopped = false;

  /** @param pauseMs between two calls, for a load of many seconds that leaves the machine to others */
  constructor(
    private readonly url: string,
    private readonly proxy: string,
    private readonly pauseMs = 0,
  ) {
    this.#done = Promise.all([this.#run(), this.#run()]);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
    this.#agent.destroy();
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      try {
        const { status, body } = await call(this.url, { proxy: this.proxy, agent: this.#agent });
        if (status === 200) this.names.push((JSON.parse(body) as { name: string }).name);
        else this.failures.push(`${status} ${body.trim()}`);
      } catch (error) {
        this.failures.push(String(error));
      }
      if (this.pauseMs > 0) await pause(this.pauseMs);
    }
  }
}
