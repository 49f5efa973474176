import { createHash } from 'node:crypto';
import type {
  Instance,
  Logger,
  Ports,
  RegistryState,
  ServiceDiscovery,
  ServiceQuery,
  ServiceSnapshot,
} from '@mesher/core';
import { ChangeSignal } from './change-signal.js';
import type { FileRegistrySettings } from './options.js';
import { DirectoryReader } from './scanning/directory-reader.js';
import type { FileAccess } from './files/file-access.js';

/** Problems that `state()` lists; more are counted. */
const MAX_LISTED_PROBLEMS = 100;
/** Closing must not hold up the end of the process when the file system hangs. */
const CLOSE_TIMEOUT_MS = 5_000;

/** What the discovery needs of the registrator beside it. */
export interface RegistrationsOfThisProcess {
  readonly problems: readonly string[];
  close(): Promise<void>;
}

/** Finds services in the directory: hand-written files and registrations, merged. Reading begins with the first watch. */
export class FileDiscovery implements ServiceDiscovery {
  readonly name = 'file';
  readonly #changes = new ChangeSignal();
  readonly #reader: DirectoryReader;
  readonly #end = new AbortController();
  #closing: Promise<void> | undefined;

  constructor(
    root: string,
    files: FileAccess,
    private readonly ports: Ports,
    logger: Logger,
    settings: FileRegistrySettings,
    private readonly registrations: RegistrationsOfThisProcess,
  ) {
    this.#reader = new DirectoryReader(root, files, ports, logger, settings, (services) =>
      services === undefined ? this.#changes.notifyAll() : this.#changes.notify(services),
    );
  }

  /**
   * Yields the service as it is, then whenever it changed; never throws because of the directory. A reader that is slow gets the
   * latest snapshot only.
   */
  async *watch({ service }: ServiceQuery, signal: AbortSignal): AsyncIterable<ServiceSnapshot> {
    const ended = AbortSignal.any([signal, this.#end.signal]);
    this.#reader.start();
    let seen: string | undefined;
    while (!ended.aborted) {
      const snapshot = this.#snapshot(service, seen);
      if (snapshot === undefined) {
        await this.#changes.next(service, ended);
      } else {
        seen = snapshot.revision;
        yield snapshot;
      }
    }
  }

  /** Yields all instances of all services, whatever their status, then again after each change. */
  async *watchAll(signal: AbortSignal): AsyncIterable<readonly Instance[]> {
    const ended = AbortSignal.any([signal, this.#end.signal]);
    this.#reader.start();
    let seen: number | undefined;
    while (!ended.aborted) {
      const { version, isKnown } = this.#reader;
      if (!isKnown || version === seen) {
        await this.#changes.next(undefined, ended);
      } else {
        seen = version;
        yield this.#reader.all();
      }
    }
  }

  /** Looks at the whole directory now instead of at the next poll; resolves when that is done. */
  async refresh(): Promise<void> {
    await this.#reader.refresh();
  }

  state(): RegistryState {
    const { freshness, lastSuccessAt, lastError, problems } = this.#reader.state();
    const all = [...problems, ...this.registrations.problems];
    const listed = all.slice(0, MAX_LISTED_PROBLEMS);
    if (all.length > listed.length) listed.push(`${all.length - listed.length} more`);
    return { freshness, lastSuccessAt, lastError: lastError ?? this.registrations.problems[0], problems: listed };
  }

  /** Ends every watch, releases the registrations of this process, stops reading. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#end.abort();
    let cancel = (): void => {};
    const tooLong = new Promise<void>((resolve) => {
      const timer = this.ports.timers.after(CLOSE_TIMEOUT_MS, resolve);
      cancel = () => timer.cancel();
    });
    await Promise.race([Promise.all([this.#reader.close(), this.registrations.close()]), tooLong]);
    cancel();
  }

  /** @returns undefined when nothing is known yet, or nothing new since `seen` */
  #snapshot(service: string, seen: string | undefined): ServiceSnapshot | undefined {
    const found = this.#reader.read(service);
    if (found === undefined) return undefined;
    const { addresses, registrations } = found;
    // Hashes of the parts, so that a large service is not hashed again for each reader.
    const parts = `${addresses?.digest ?? '-'} ${registrations?.digest ?? '-'}`;
    const revision = createHash('sha256').update(parts).digest('base64url').slice(0, 22);
    if (revision === seen) return undefined;
    const exists = addresses !== undefined || registrations !== undefined;
    const instances = [...(addresses?.instances ?? []), ...(registrations?.instances ?? [])];
    return { service, exists, revision, instances };
  }
}
