import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemPorts, type Ports } from '@mesher/core';
import { EXIT, type ExitCode } from '../cli/exit-codes.js';
import { readHops, type HelloAnswer } from './call-path.js';
import { Child } from './child.js';
import { writeConfiguration } from './conf-files.js';
import { planLayout, type DemoLayout, type ServiceLayout } from './layout.js';

/** Calls after the first one, which also opens connections. */
const CALLS = 20;

const SERVICE_MAIN = fileURLToPath(new URL('service-main.js', import.meta.url));
const MESHER_BIN = fileURLToPath(new URL('../../bin/mesher.js', import.meta.url));

export interface DemoOptions {
  /** End after the calls. */
  readonly once: boolean;
}

/** `mesher demo`: two services, a sidecar for each, the embedded registry; calls through all of them, and the way of one call. */
export async function runDemo(options: DemoOptions): Promise<ExitCode> {
  const print = (text = ''): void => void process.stdout.write(`${text}\n`);
  const ports = systemPorts();
  const folder = await mkdtemp(join(tmpdir(), 'mesher-demo-'));
  const demo = new Demo(folder, ports, print);
  const interrupted = new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
    // Nobody reads any more, as after Ctrl-C in `npm start | tee log`: its processes must not stay behind.
    process.stdout.on('error', () => resolve());
  });
  try {
    await Promise.race([demo.start(), interrupted.then(() => Promise.reject(new Error('interrupted')))]);
    await demo.call();
    if (!options.once) {
      demo.invite();
      await interrupted;
      print('\nStopping.');
    }
    return EXIT.ok;
  } catch (error) {
    print(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}`);
    return EXIT.failed;
  } finally {
    await demo.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

class Demo {
  readonly #children: Child[] = [];
  #layout!: DemoLayout;

  constructor(
    private readonly folder: string,
    private readonly ports: Ports,
    private readonly print: (text?: string) => void,
  ) {}

  async start(): Promise<void> {
    this.print('Mesher demo: hello calls world by name; each has a sidecar beside it; the registry is a folder.\n');
    this.#layout = await planLayout();
    const { hello, world, moved } = this.#layout;
    for (const line of moved) this.print(`  ! ${line}`);
    await this.#startService(world, {});
    await this.#startSidecar(world);
    await this.#startService(hello, { HTTP_PROXY: `http://127.0.0.1:${hello.meshPort}` });
    await this.#startSidecar(hello);
  }

  async call(): Promise<void> {
    const { hello } = this.#layout;
    const url = `http://127.0.0.1:${hello.appPort}/`;
    let last: { answer: HelloAnswer; durationMs: number } | undefined;
    for (let i = 0; i <= CALLS; i++) {
      const startedAt = this.ports.clock.now();
      const response = await fetch(url);
      const answer = (await response.json()) as HelloAnswer;
      last = { answer, durationMs: this.ports.clock.now() - startedAt };
      if (!response.ok) throw new Error(`call ${i + 1} was answered ${answer.status}: ${answer.answer}`);
    }
    if (last !== undefined) await this.#showWay(url, last.answer, last.durationMs);
  }

  invite(): void {
    const { hello, world } = this.#layout;
    this.print(`Try it, in another terminal:
  curl -x http://127.0.0.1:${hello.meshPort} http://world/anything      call world by name through hello's sidecar
  curl -x http://127.0.0.1:${hello.meshPort} http://nobody/             an error that says what to do
  curl http://127.0.0.1:${hello.adminPort}/services                      what hello's sidecar knows
  curl http://127.0.0.1:${world.adminPort}/metrics                       what world's sidecar counted

Ctrl-C ends the demo.`);
  }

  /** Callers first, so that nobody calls somebody who has left. */
  async stop(): Promise<void> {
    for (const child of this.#children.reverse()) await child.stop();
  }

  async #startService(layout: ServiceLayout, env: Record<string, string>): Promise<void> {
    const child = this.#run(layout.name, [SERVICE_MAIN], { NAME: layout.name, PORT: String(layout.appPort), ...env });
    await child.untilPrinted('listens on');
    this.print(`  service ${layout.name}     127.0.0.1:${layout.appPort}    process ${child.pid}`);
  }

  async #startSidecar(layout: ServiceLayout): Promise<void> {
    const config = await writeConfiguration(join(this.folder, layout.name), layout, join(this.folder, 'disco'));
    const args = [MESHER_BIN, `--config=${config}`, `--service-ports=rest:${layout.appPort}`];
    const startedAt = this.ports.clock.now();
    const child = this.#run(`the sidecar of ${layout.name}`, args, {});
    await child.untilPrinted('"msg":"ready"');
    const ms = Math.round(this.ports.clock.now() - startedAt);
    this.print(
      `  its sidecar      127.0.0.1:${layout.meshPort} (outbound)  ${layout.inboundHost}:${layout.meshPort} (inbound)  ` +
        `process ${child.pid}, ready after ${ms} ms`,
    );
  }

  #run(name: string, args: readonly string[], env: Record<string, string>): Child {
    const child = new Child(name, args, env, this.ports.timers);
    this.#children.push(child);
    return child;
  }

  async #showWay(url: string, answer: HelloAnswer, durationMs: number): Promise<void> {
    const { hello, world } = this.#layout;
    const [outbound, inbound] = readHops(answer.timing);
    if (outbound === undefined || inbound === undefined)
      throw new Error(`the answer does not show its way: ${answer.timing.join(' ')}`);
    const instance = await this.#instanceAt(hello.adminPort, outbound.service, outbound.target);
    const indent = ' '.repeat(3);
    this.print(`
The way of one call (number ${CALLS + 1}; GET ${url} took ${durationMs.toFixed(1)} ms)

  hello             127.0.0.1:${hello.appPort} asks for http://world/greeting through HTTP_PROXY
  ${indent}└─ sidecar of hello   127.0.0.1:${hello.meshPort} finds ${outbound.service} at ${outbound.target}, instance ${instance}   ${outbound.durationMs.toFixed(1)} ms
  ${indent}${indent}└─ sidecar of world   ${world.inboundHost}:${world.meshPort} hands it to its own port ${inbound.target}   ${inbound.durationMs.toFixed(1)} ms
  ${indent}${indent}${indent}└─ world             127.0.0.1:${world.appPort} answers ${answer.answer}

${CALLS + 1} calls, all answered.
`);
  }

  async #instanceAt(adminPort: number, service: string, address: string): Promise<string> {
    const response = await fetch(`http://127.0.0.1:${adminPort}/services`);
    const { services } = (await response.json()) as ServicesAnswer;
    const instances = services.find((candidate) => candidate.service === service)?.instances ?? [];
    return (
      instances.find(({ endpoints }) => endpoints.some((endpoint) => endpoint.address === address))?.instanceId ??
      '(unknown)'
    );
  }
}

/** The part of GET /services that the demo reads. */
interface ServicesAnswer {
  readonly services: readonly {
    readonly service: string;
    readonly instances: readonly {
      readonly instanceId: string;
      readonly endpoints: readonly { readonly address: string }[];
    }[];
  }[];
}
