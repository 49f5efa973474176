import { fileURLToPath } from 'node:url';
import { call, type CallResult } from './http-call.js';
import type { Scene } from './scene.js';
import type { SpawnedProcess } from './spawned-process.js';

const APP_MAIN = fileURLToPath(new URL('../programs/app-main.js', import.meta.url));

export interface AppOptions {
  readonly name: string;
  /** Taken from the free ones when left out. */
  readonly port?: number;
  /** `host:port` of the sidecar through which this application calls others. */
  readonly proxy?: string;
}

/** What the application says about a request that it got. */
export interface Echo {
  readonly name: string;
  readonly method: string;
  readonly url: string;
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

/** An application behind a sidecar, a process of its own: see programs/app-main.ts for its paths. */
export class App {
  process!: SpawnedProcess;

  private constructor(
    private readonly scene: Scene,
    readonly name: string,
    readonly port: number,
    private readonly proxy: string | undefined,
  ) {}

  static async start(scene: Scene, options: AppOptions): Promise<App> {
    const app = new App(scene, options.name, options.port ?? (await scene.ports.take()), options.proxy);
    await app.start();
    return app;
  }

  /** Starts the application, again on the same port after it has ended. */
  async start(): Promise<void> {
    this.process = this.scene.spawn(this.name, process.execPath, [APP_MAIN], {
      NAME: this.name,
      PORT: String(this.port),
      ...(this.proxy === undefined ? {} : { HTTP_PROXY: `http://${this.proxy}` }),
    });
    await this.process.untilPrinted(/listening/);
  }

  /** Lets the application make an outbound call. */
  async callOut(url: string, options: { method?: string; headers?: object; body?: string } = {}): Promise<CallResult> {
    const order = JSON.stringify({ url, ...options });
    return JSON.parse(await this.#control('call', order)) as CallResult;
  }

  /** Resolves once a request for `/hold` is waiting in the application. */
  async untilHeld(): Promise<void> {
    await this.#control('until-held');
  }

  /** Answers the requests that wait in `/hold`. */
  async release(): Promise<void> {
    await this.#control('release');
  }

  /** Writes one server-sent event to every reader of `/events`. */
  async sendEvent(data: string): Promise<void> {
    await this.#control('event', data);
  }

  async #control(what: string, body = ''): Promise<string> {
    const answer = await call(`http://127.0.0.1:${this.port}/control/${what}`, { method: 'POST', body });
    if (answer.status !== 200) throw new Error(`${this.name} could not ${what}: ${answer.body}`);
    return answer.body;
  }
}

/** The values of a header field in an {@link Echo}, in their order. */
export function fieldsOf(echo: Echo, name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i < echo.rawHeaders.length; i += 2) {
    if (echo.rawHeaders[i]?.toLowerCase() === name) values.push(echo.rawHeaders[i + 1] ?? '');
  }
  return values;
}
