import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ConsulError } from './consul-error.js';

/** Where the ACL token comes from: a file wins over a text, as in Consul's own client. */
export class TokenSource {
  #token: string | undefined;

  constructor(
    token: string | undefined,
    private readonly file: string | undefined,
    private readonly confDir: string,
  ) {
    this.#token = token;
  }

  /** The token to send; undefined for none. */
  get token(): string | undefined {
    return this.#token;
  }

  /**
   * Reads the file again, if there is one.
   * @returns whether the token is another one now
   * @throws ConsulError CONSUL_SETTING when it cannot be read; the token stays as it was
   */
  async refresh(): Promise<boolean> {
    if (this.file === undefined) return false;
    const path = resolve(this.confDir, this.file);
    let read: string;
    try {
      read = (await readFile(path, 'utf8')).trim();
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).code ?? 'unknown error';
      throw new ConsulError('CONSUL_SETTING', `tokenFile: ${path} cannot be read (${reason})`);
    }
    if (read === '') throw new ConsulError('CONSUL_SETTING', `tokenFile: ${path} is empty`);
    const before = this.#token;
    this.#token = read;
    return before !== read;
  }
}
