import { createSecureContext } from 'node:tls';
import type { Ports } from '../../ports/ports.js';
import { jittered, pause } from '../../ports/waiting.js';
import type { Logger } from '../../telemetry/logger.js';
import type { RegistryTls } from './tls-files.js';

/**
 * TLS to a registry that follows its files: certificates are renewed while the process runs, and a connection that is made after that
 * has to use the new ones. Files that cannot be used (half written, key and certificate of two renewals) leave what was good in use.
 */
export class LiveTls {
  #current: RegistryTls;
  #trouble: string | undefined;
  readonly #onChange = new Set<() => void>();
  readonly #end = new AbortController();
  #running: Promise<void> | undefined;

  private constructor(
    private readonly read: () => Promise<RegistryTls>,
    first: RegistryTls,
  ) {
    this.#current = first;
  }

  /**
   * @param read reads the files; asked again and again by {@link follow}
   * @param isUsed false leaves files that make no sense to whoever uses them
   * @throws what `read` throws; and, for files that make no sense together, an Error without what is in them
   */
  static async open(read: () => Promise<RegistryTls>, isUsed = true): Promise<LiveTls> {
    const first = await read();
    if (isUsed) createSecureContext(first);
    return new LiveTls(read, first);
  }

  /** What the next connection should use. */
  get current(): RegistryTls {
    return this.#current;
  }

  /** Why the files that are there now are not in use; undefined when they are. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Calls `listener` whenever there is another {@link current}. */
  onChange(listener: () => void): void {
    this.#onChange.add(listener);
  }

  /** Looks at the files at intervals, give or take a fifth, until {@link close}; there is nothing to look at without any. */
  follow(ports: Ports, intervalMs: number, logger: Logger): void {
    const { ca, cert, key } = this.#current;
    if (ca === undefined && cert === undefined && key === undefined) return;
    this.#running ??= this.#run(ports, intervalMs, logger);
  }

  /** Looks at the files now. Never rejects. */
  async refresh(logger: Logger): Promise<void> {
    try {
      const next = await this.read();
      if (!areSame(next, this.#current)) {
        createSecureContext(next);
        this.#current = next;
        logger.info({}, 'the TLS files of the registry have changed; new connections use them');
        for (const listener of this.#onChange) listener();
      }
      this.#trouble = undefined;
    } catch (error) {
      const trouble = error instanceof Error ? error.message : String(error);
      // Once for each kind of trouble: it is looked at again and again.
      if (trouble !== this.#trouble) {
        logger.warn({ error: trouble }, 'the TLS files of the registry cannot be used; the last good ones stay in use');
      }
      this.#trouble = trouble;
    }
  }

  async close(): Promise<void> {
    this.#end.abort();
    await this.#running;
  }

  async #run(ports: Ports, intervalMs: number, logger: Logger): Promise<void> {
    const { signal } = this.#end;
    for (;;) {
      await pause(ports, jittered(ports, intervalMs), signal);
      if (signal.aborted) return;
      await this.refresh(logger);
    }
  }
}

/** The other settings do not change while the process runs. */
function areSame(one: RegistryTls, other: RegistryTls): boolean {
  return (
    isSame(one.ca, other.ca) &&
    isSame(one.cert, other.cert) &&
    isSame(one.key, other.key) &&
    one.passphrase === other.passphrase
  );
}

function isSame(one: Buffer | undefined, other: Buffer | undefined): boolean {
  return one === undefined || other === undefined ? one === other : one.equals(other);
}
