import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns';
import { nextTurn, type ExporterSettings, type SpanExporter, type SpanRecord } from '@mesher/core';
import { Datagrams } from './batches.js';

/**
 * Milliseconds after which the name of an agent is looked up again: that of a headless service of Kubernetes leads to another address once
 * its pod was replaced, and UDP does not tell. Jaeger's own clients do so as often.
 */
const RESOLVE_EVERY_MS = 30_000;

/** Milliseconds between two datagrams, which makes 16 MB in a second: more than a sidecar has. */
const PAUSE_MS = 1;

export interface AgentAddress {
  readonly host: string;
  readonly port: number;
}

type Lookup = (host: string) => Promise<{ readonly address: string; readonly family: number }>;

/** What is at hand while an address holds. */
interface Link {
  readonly socket: Socket;
  readonly address: string;
  readonly resolvedAt: number;
}

/**
 * Sends spans to an agent of Jaeger over UDP. Nobody says that a datagram has come; what can be known is told: a name without an address,
 * a host without a route, a port where nobody listens (that one with the batch after, where the answer has a long way).
 */
export class AgentExporter implements SpanExporter {
  readonly #datagrams: Datagrams;
  #link: Link | undefined;
  #refusal: Error | undefined;
  #isClosed = false;

  /** @param lookUp finds the address of a name; tests give their own */
  constructor(
    private readonly agent: AgentAddress,
    private readonly settings: ExporterSettings,
    private readonly lookUp: Lookup = systemLookup,
  ) {
    this.#datagrams = new Datagrams(settings);
  }

  async export(spans: readonly SpanRecord[]): Promise<void> {
    const socket = await this.#connected();
    // A process that ends waits for its last spans.
    socket.ref();
    try {
      let isFirst = true;
      for (const datagram of this.#datagrams.of(spans)) {
        // A receiver needs a moment to read; UDP does not wait for it.
        if (!isFirst) await new Promise<void>((resolve) => this.settings.ports.timers.after(PAUSE_MS, resolve));
        await send(socket, datagram);
        isFirst = false;
      }
      // That nobody listens on this host is known at once, but told by an event: with the next round of them, which may be under way.
      await nextTurn();
      await nextTurn();
      if (this.#refusal !== undefined) throw this.#refusal;
    } catch (error) {
      // The name may lead elsewhere by now.
      this.#drop();
      throw error;
    } finally {
      socket.unref();
      this.#refusal = undefined;
    }
  }

  close(): Promise<void> {
    this.#isClosed = true;
    this.#drop();
    return Promise.resolve();
  }

  async #connected(): Promise<Socket> {
    const { clock } = this.settings.ports;
    const known = this.#link;
    if (known !== undefined && clock.now() - known.resolvedAt < RESOLVE_EVERY_MS) return known.socket;
    const found = await this.lookUp(this.agent.host).catch((error: unknown) => {
      // A name server that is away does not make an address wrong.
      if (known === undefined) throw error;
      return undefined;
    });
    if (this.#isClosed) throw new Error('the exporter is closed');
    if (known !== undefined && (found === undefined || found.address === known.address)) {
      this.#link = { ...known, resolvedAt: clock.now() };
      return known.socket;
    }
    this.#drop();
    const { address, family } = found as Awaited<ReturnType<Lookup>>;
    const socket = await this.#connect(address, family);
    this.#link = { socket, address, resolvedAt: clock.now() };
    return socket;
  }

  /** A connected socket hears that nobody listens. */
  #connect(address: string, family: number): Promise<Socket> {
    const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
    socket.unref();
    return new Promise((resolve, reject) => {
      socket.on('error', (error) => (this.#refusal = error));
      // Where there is no route, the callback gets the error, which its type does not say.
      const connected = (error?: Error | null): void => {
        if (error == null) return resolve(socket);
        socket.close();
        reject(error);
      };
      socket.connect(this.agent.port, address, connected);
    });
  }

  #drop(): void {
    this.#link?.socket.close();
    this.#link = undefined;
  }
}

function send(socket: Socket, datagram: Buffer): Promise<void> {
  return new Promise((resolve, reject) =>
    socket.send(datagram, (error) => (error === null ? resolve() : reject(error))),
  );
}

function systemLookup(host: string): Promise<{ address: string; family: number }> {
  return new Promise((resolve, reject) => {
    // As the system has it: agents listen on IPv4 where names have both and nothing else is said.
    lookup(host, { verbatim: false }, (error, address, family) =>
      error === null ? resolve({ address, family }) : reject(error),
    );
  });
}
