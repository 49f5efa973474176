import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Logger, Ports } from '@mesher/core';
import type { RedisClientType } from '@redis/client';
import type { RedisLimiterSettings } from './settings.js';

/** First wait before connecting again; doubled with each further attempt. */
const FIRST_RECONNECT_WAIT_MS = 50;

/** Commands that may wait for their answers; the limits ask one question at a time each, so this many limits. */
const MAX_QUEUED_COMMANDS = 10_000;

/** What a {@link RedisConnection} is made with. */
export interface RedisConnectionParts {
  readonly ports: Ports;
  readonly logger: Logger;
  readonly confDir: string;
}

type Client = RedisClientType<Record<string, never>, Record<string, never>, Record<string, never>, 2>;

/**
 * One connection to a Redis server: made when it is first needed, made again when it is lost, and given up when the server falls
 * silent. A command is answered or refused, but never kept for later: by then nobody waits for it.
 */
export class RedisConnection {
  #client: Client | undefined;
  /** Settled with the first success or failure of the present client. */
  #attempted: Promise<void> = Promise.resolve();
  #opening: Promise<void> | undefined;
  #lastError: unknown;
  #owedSince = Infinity;
  #isClosed = false;

  constructor(
    private readonly settings: RedisLimiterSettings,
    private readonly parts: RedisConnectionParts,
  ) {}

  /** @throws Error when there is no connection, or the server answers with an error */
  async command(words: readonly string[]): Promise<unknown> {
    const { clock } = this.parts.ports;
    if (this.#isClosed) throw new Error('the connection to Redis is closed');
    if (clock.now() - this.#owedSince > this.settings.silence) this.#giveUp();
    this.#opening ??= this.#open();
    try {
      await this.#opening;
    } catch (error) {
      // A certificate that cannot be read today may be there tomorrow.
      this.#opening = undefined;
      throw error;
    }
    await this.#attempted;
    const client = this.#client;
    if (client?.isReady !== true) throw new Error(`there is no connection to Redis: ${textOf(this.#lastError)}`);
    this.#owedSince = Math.min(this.#owedSince, clock.now());
    try {
      return await client.sendCommand([...words]);
    } finally {
      if (client === this.#client) this.#owedSince = Infinity;
    }
  }

  /** Idempotent; commands that wait for an answer are refused. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#opening?.catch(() => undefined);
    this.#drop();
  }

  async #open(): Promise<void> {
    // Loaded here: a sidecar without shared limits does not pay for it.
    const { createClient } = await import('@redis/client');
    const { address, username, password, database, connectTimeout, maxReconnectWait, tls } = this.settings;
    const common = {
      host: address.host,
      port: address.port,
      connectTimeout,
      reconnectStrategy: (retries: number) =>
        Math.min(maxReconnectWait, FIRST_RECONNECT_WAIT_MS * 2 ** Math.min(retries, 20)),
    };
    const socket = tls.enable ? { ...common, tls: true as const, ...(await this.#tlsOptions()) } : common;
    const client: Client = createClient({
      RESP: 2,
      socket,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      database,
      disableOfflineQueue: true,
      commandsQueueMaxLength: MAX_QUEUED_COMMANDS,
    });
    if (this.#isClosed) return;
    this.#client = client;
    const owesSince = (time: number): void => {
      if (client === this.#client) this.#owedSince = time;
    };
    // The client sets a time for connecting only: a server that takes the connection and never greets back would be waited for for ever.
    client.on('connect', () => owesSince(this.parts.ports.clock.now()));
    this.#attempted = new Promise((settle) => {
      client.on('error', (error: unknown) => {
        owesSince(Infinity);
        this.#failed(error);
        settle();
      });
      client.on('ready', () => {
        owesSince(Infinity);
        this.#lastError = undefined;
        this.parts.logger.debug({ address: `${address.host}:${address.port}` }, 'connected to Redis');
        settle();
      });
    });
    // Rejects only when the client is closed meanwhile; every failure before that is an 'error' event.
    client.connect().catch((error: unknown) => this.#failed(error));
    // A sidecar ends when its own work is over.
    client.unref();
  }

  async #tlsOptions(): Promise<Readonly<Record<string, unknown>>> {
    const { caFile, certFile, keyFile, serverName, verifyPeer } = this.settings.tls;
    const read = async (file: string | undefined): Promise<string | undefined> =>
      file === undefined ? undefined : await readFile(resolve(this.parts.confDir, file), 'utf8');
    const options = {
      ca: await read(caFile),
      cert: await read(certFile),
      key: await read(keyFile),
      servername: serverName,
      rejectUnauthorized: verifyPeer,
    };
    return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  }

  /** The same trouble is told once, however often it comes. */
  #failed(error: unknown): void {
    if (textOf(error) !== textOf(this.#lastError)) {
      this.parts.logger.debug({ error }, `no connection to Redis: ${textOf(error)}`);
    }
    this.#lastError = error;
  }

  #giveUp(): void {
    this.#failed(new Error(`no answer for more than ${this.settings.silence} ms`));
    this.#drop();
    this.#opening = undefined;
    this.#owedSince = Infinity;
  }

  #drop(): void {
    const client = this.#client;
    this.#client = undefined;
    if (client?.isOpen === true) client.destroy();
  }
}

function textOf(error: unknown): string {
  if (error === undefined) return 'not connected';
  return error instanceof Error && error.message !== '' ? error.message : String(error);
}
