import type { IncomingMessage, Server } from 'node:http';
import { Server as SecureServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { RegistryError } from '../store/registry-error.js';

/** Longest frame of a client that service-center reads. */
const MAX_FRAME_BYTES = 64;

const WATCHER = /^\/v4\/([^/]+)\/registry\/microservices\/([^/]+)\/watcher$/;
const HEARTBEAT = /^\/v4\/([^/]+)\/registry\/microservices\/([^/]+)\/instances\/([^/]+)\/heartbeat$/;

/** What a websocket is for. */
export interface SocketTarget {
  readonly project: string;
  readonly serviceId: string;
  /** Of a heartbeat only. */
  readonly instanceId?: string;
}

/** Finds what a websocket is for. @returns undefined for a path that has none */
export function socketTarget(path: string): SocketTarget | undefined {
  const [, project, serviceId] = WATCHER.exec(path) ?? [];
  if (project !== undefined && serviceId !== undefined) return { project, serviceId };
  const [, ofProject, ofService, instanceId] = HEARTBEAT.exec(path) ?? [];
  if (ofProject === undefined || ofService === undefined || instanceId === undefined) return undefined;
  return { project: ofProject, serviceId: ofService, instanceId };
}

/** What becomes of an upgrade: a connection for `accept`, an answer of HTTP, or silence. */
export type UpgradeDecision =
  | { readonly accept: (socket: WebSocket) => void }
  | { readonly status: number; readonly refusal?: RegistryError }
  | 'hang';

/** Lets websockets in beside HTTP. */
export class Upgrades {
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: MAX_FRAME_BYTES, perMessageDeflate: false });
  readonly #raw = new Set<Duplex>();

  /** @param decide may throw a RegistryError, which is the answer then */
  constructor(http: Server, decide: (request: IncomingMessage) => UpgradeDecision) {
    http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      if (request.headers.upgrade?.toLowerCase() !== 'websocket') return serveAnyway(http, request, socket, head);
      this.#raw.add(socket);
      socket.once('close', () => this.#raw.delete(socket));
      socket.on('error', () => {});
      const decision = decideSafely(decide, request);
      if (decision === 'hang') return;
      if ('accept' in decision) this.#server.handleUpgrade(request, socket, head, decision.accept);
      else {
        const body = decision.refusal === undefined ? '' : JSON.stringify(decision.refusal);
        const head = `HTTP/1.1 ${decision.status} Refused\r\ncontent-type: application/json\r\nconnection: close\r\n`;
        // Nobody watches over this connection any more: who does not end it from the other side would keep it.
        socket.end(`${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`, () => socket.destroy());
      }
    });
  }

  get count(): number {
    return this.#raw.size;
  }

  /** Ends every connection without a word. */
  dropAll(): void {
    for (const socket of this.#raw) socket.destroy();
  }
}

/** Of fields that offer another protocol, and say no more than that. */
const OFFERS: ReadonlySet<string> = new Set(['upgrade', 'connection', 'http2-settings']);

/**
 * A request that offers HTTP/2 (`Upgrade: h2c`), as those of Java's own client and of `curl --http2` do: an offer need not be taken (RFC
 * 9110, 7.8). Node has only upgrades and requests, so that it gets the same request without the offer.
 */
function serveAnyway(
  http: Server,
  { method, url, httpVersion, rawHeaders }: IncomingMessage,
  socket: Duplex,
  rest: Buffer,
): void {
  const lines = [`${method ?? 'GET'} ${url ?? '/'} HTTP/${httpVersion}`];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2);
    if (!OFFERS.has(name.toLowerCase())) lines.push(`${name}: ${value}`);
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), rest]));
  http.emit(http instanceof SecureServer ? 'secureConnection' : 'connection', socket);
}

/** Nothing in an upgrade may end the process: there is no caller to take an error. */
function decideSafely(
  decide: (request: IncomingMessage) => UpgradeDecision,
  request: IncomingMessage,
): UpgradeDecision {
  try {
    return decide(request);
  } catch (error) {
    const refusal = error instanceof RegistryError ? error : new RegistryError(500003, String(error));
    return { status: refusal.status, refusal };
  }
}
