import { ChangeSignal, type Instance, type ServiceSnapshot, type VanishRules } from '@mesher/core';
import { KnownService } from './known-service.js';

/**
 * A service that somebody watches, in every application in which it is looked for. `app:name` means that of one application, as
 * service-center itself writes it.
 */
export class WantedService {
  readonly changes = new ChangeSignal();
  /** The name in service-center. */
  readonly serviceName: string;
  /** Who watches it. */
  watchers = 0;
  /** To be asked for in the next round, whatever the time. */
  isDue = true;
  readonly #parts = new Map<string, KnownService>();
  readonly #onlyApp: string | undefined;
  #version = 0;

  constructor(
    readonly name: string,
    private readonly ownApp: string,
    private readonly rules: VanishRules,
  ) {
    const colon = name.indexOf(':');
    this.#onlyApp = colon === -1 ? undefined : name.slice(0, colon);
    this.serviceName = name.slice(colon + 1);
    this.lookIn([]);
  }

  get parts(): Iterable<KnownService> {
    return this.#parts.values();
  }

  part(app: string): KnownService | undefined {
    return this.#parts.get(app);
  }

  /** Looks for it in these applications, too; those in which it was stay until nothing is left there. */
  lookIn(apps: Iterable<string>): void {
    const wanted = this.#onlyApp === undefined ? [this.ownApp, ...apps] : [this.#onlyApp];
    const looked = new Set(wanted);
    for (const [app, { exists }] of this.#parts) if (exists === false && !looked.has(app)) this.#parts.delete(app);
    for (const app of looked) {
      if (!this.#parts.has(app)) this.#parts.set(app, new KnownService(app, this.rules));
    }
  }

  /** Something changed: whoever watches should look. */
  changed(): void {
    this.#version++;
    this.changes.notify();
  }

  /** Undefined while not every application has answered, and when nothing is new since `seen`. */
  snapshot(seen: string | undefined): ServiceSnapshot | undefined {
    const revision = String(this.#version);
    if (revision === seen) return undefined;
    const parts = [...this.#parts.values()];
    if (parts.some(({ exists }) => exists === undefined)) return undefined;
    const instances: Instance[] = parts.flatMap((part) => [...part.instances]);
    return { service: this.name, exists: parts.some(({ exists }) => exists === true), revision, instances };
  }
}
