import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Clock, HostPort } from '@mesher/core';
import type { StatsD } from 'hot-shots';

/** An address may move: how long it is taken for granted. An agent that was moved is found again within a minute. */
const ADDRESS_KEPT_MS = 60_000;

/** hot-shots has this for whole messages; its types leave it out. */
interface MessageClient {
  send(message: string, tags: undefined, callback: (error?: Error | null) => void): void;
}

/** Looks up the address of a name; the first one is taken. */
export type AddressLookup = (host: string) => Promise<string>;

/**
 * The way to a StatsD server: hot-shots sends the datagrams. The name of the server is looked up here, because hot-shots would do so for each
 * datagram while it fails, and would send to the addresses of IPv6 by a socket of IPv4.
 */
export class StatsdLink {
  #client: StatsD | undefined;
  #address: string | undefined;
  #lookedUpAt = Number.NEGATIVE_INFINITY;
  #isClosed = false;

  constructor(
    private readonly server: HostPort,
    private readonly clock: Clock,
    private readonly find: AddressLookup = async (host) => (await lookup(host)).address,
  ) {}

  /**
   * Makes sure that there is somewhere to send to; loads hot-shots with the first call.
   * @throws Error when the name has no address
   */
  async open(): Promise<void> {
    const { host, port } = this.server;
    const now = this.clock.now();
    if (this.#client !== undefined && now - this.#lookedUpAt < ADDRESS_KEPT_MS) return;
    const address = isIP(host) === 0 ? await this.find(host) : host;
    this.#lookedUpAt = now;
    if (address === this.#address) return;
    const { StatsD: Client } = await import('hot-shots');
    // Its socket would keep the process.
    if (this.#isClosed) throw new Error('closed while the address was looked up');
    this.#client?.close();
    this.#address = address;
    this.#client = new Client({
      host: address,
      port,
      // Datagrams come as they are: neither buffers and timers nor what the environment says to Datadog's own clients.
      maxBufferSize: 0,
      includeDataDogTags: false,
      datadog: false,
      includeDatadogTelemetry: false,
      errorHandler: () => {
        // Whoever sends is told by the callback.
      },
    });
  }

  /** Hands a datagram to the socket. Resolves with the error, if there is one. */
  send(datagram: string): Promise<Error | undefined> {
    const client = this.#client as (StatsD & MessageClient) | undefined;
    if (client === undefined) return Promise.resolve(new Error('there is no socket'));
    return new Promise((resolve) => client.send(datagram, undefined, (error) => resolve(error ?? undefined)));
  }

  /** Waits for what is being sent, half a second at most, and closes the socket. */
  close(): Promise<void> {
    const client = this.#client;
    this.#isClosed = true;
    this.#client = undefined;
    if (client === undefined) return Promise.resolve();
    return new Promise((resolve) => client.close(() => resolve()));
  }
}
