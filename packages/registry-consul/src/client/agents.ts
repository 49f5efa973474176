import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent, type AgentOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import type { LiveTls } from '@mesher/core';
import type { AgentAddress } from './addresses.js';
import { completeRequest, guardAnswer } from './call-context.js';
import { openLibrary, type ConsulLibrary } from './library.js';

/** Idle connections: heartbeats and the questions after an answer need a few; those that are held are busy. */
const MAX_IDLE = 8;

/** Connections besides those with an answer that is held back: an agent takes 200 of one client, and more questions wait here. */
const MAX_OTHERS = 50;

/** One agent to speak with. */
export interface AgentLine {
  readonly address: AgentAddress;
  readonly library: ConsulLibrary;
}

/**
 * The agents that may be asked, of which one is. Another takes over only when it fails: a registration lives at one agent, and indexes
 * of two agents mean different things.
 */
export class Agents {
  readonly #lines: readonly (AgentLine & { readonly sockets: HttpAgent })[];
  #current = 0;

  /**
   * @param addresses at least one
   * @param tls needed for addresses with TLS
   * @param maxHeld most answers that are held back at the same time
   */
  constructor(addresses: readonly AgentAddress[], tls: LiveTls | undefined, maxHeld: number) {
    this.#lines = addresses.map((address) => {
      const keep = { keepAlive: true, maxFreeSockets: MAX_IDLE, maxSockets: maxHeld + MAX_OTHERS };
      const sockets = address.isTls && tls !== undefined ? new LiveHttpsAgent(keep, tls) : new HttpAgent(keep);
      const library = openLibrary({
        baseUrl: `${address.base}/v1`,
        agent: sockets,
        ...(address.socketPath === undefined ? {} : { socketPath: address.socketPath }),
      });
      library._ext('onCreate', completeRequest);
      library._ext('onRequest', guardAnswer);
      return { address, library, sockets };
    });
  }

  get current(): AgentLine {
    const line = this.#lines[this.#current];
    if (line === undefined) throw new RangeError('no agent of Consul was given');
    return line;
  }

  /** The agent did not answer: the next one is asked from now on, unless somebody has said so before. */
  failed(line: AgentLine): void {
    if (line === this.current) this.#current = (this.#current + 1) % this.#lines.length;
  }

  close(): void {
    for (const { sockets } of this.#lines) sockets.destroy();
  }
}

/** Makes every connection with the certificates that are there then. */
class LiveHttpsAgent extends HttpsAgent {
  constructor(
    options: AgentOptions,
    private readonly tls: LiveTls,
  ) {
    // A session that is taken up again would go on with the certificates of its first connection.
    super({ ...options, maxCachedSessions: 0 });
  }

  override createConnection(options: AgentOptions, callback?: (error: Error | null, stream: Duplex) => void): Duplex {
    return super.createConnection({ ...options, ...this.tls.current }, callback) as Duplex;
  }
}
