import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '@mesher/core';
import { errorCodeOf, messageOf } from '../client/service-center-error.js';
import type { ServiceCenter } from '../client/service-center.js';

/** A contract of the own service. */
export interface SchemaFile {
  readonly id: string;
  readonly text: string;
}

/** Largest contract: what one request to service-center may hold, less some room for the rest of it. */
const MAX_SCHEMA_BYTES = 2 * 1024 * 1024 - 4096;
/** Most contracts: the quota of service-center per service. */
const MAX_SCHEMAS = 100;

/** The contracts that lie in `{conf}/{service}/schema` as `{schemaId}.yaml`, where go-chassis keeps them. */
export class SchemaFiles {
  readonly #folder: string;
  /** Texts that were sent, so that a registration that comes back does not send them again. */
  readonly #sent = new Map<string, string>();

  constructor(
    confDir: string,
    service: string,
    private readonly logger: Logger,
  ) {
    this.#folder = join(confDir, service, 'schema');
  }

  /** What is there; a file that cannot be read is reported and left out. */
  async read(): Promise<readonly SchemaFile[]> {
    const found: SchemaFile[] = [];
    for (const name of (await this.#names()).slice(0, MAX_SCHEMAS)) {
      const path = join(this.#folder, name);
      try {
        if ((await stat(path)).size > MAX_SCHEMA_BYTES) throw new Error(`it has more than ${MAX_SCHEMA_BYTES} bytes`);
        found.push({ id: name.replace(/\.ya?ml$/, ''), text: await readFile(path, 'utf8') });
      } catch (error) {
        this.logger.warn({ path }, `a contract cannot be sent: ${messageOf(error)}`);
      }
    }
    return found;
  }

  /** Sends what service-center does not have yet. A contract that it refuses (in production it keeps the first one) is reported. */
  async upload(
    center: ServiceCenter,
    serviceId: string,
    files: readonly SchemaFile[],
    signal: AbortSignal,
  ): Promise<void> {
    for (const { id, text } of files) {
      const key = `${serviceId}/${id}`;
      const summary = createHash('sha256').update(text).digest('hex');
      if (this.#sent.get(key) === summary) continue;
      try {
        await center.putSchema(serviceId, id, { schema: text, summary }, signal);
        this.#sent.set(key, summary);
      } catch (error) {
        if (signal.aborted) return;
        const code = errorCodeOf(error);
        this.logger.warn({ schemaId: id, code }, `service-center does not take a contract: ${messageOf(error)}`);
      }
    }
  }

  async #names(): Promise<readonly string[]> {
    try {
      return (await readdir(this.#folder)).filter((name) => /^[A-Za-z0-9][\w.-]*\.ya?ml$/.test(name)).sort();
    } catch {
      // A service without contracts is a usual one.
      return [];
    }
  }
}
