import type { RegistryTls, TimerHandle, Timers } from '@mesher/core';
import { WebSocket } from 'ws';

export interface SocketEvents {
  /** The handshake is done. */
  readonly onOpen: () => void;
  readonly onText: (text: string) => void;
  /** Once, whatever ended it; `opened` is false when there was no handshake. */
  readonly onEnd: (end: SocketEnd) => void;
}

export interface SocketEnd {
  readonly opened: boolean;
  /** Of RFC 6455, 7.4; 1006 when there was no close frame. */
  readonly code: number;
  readonly reason: string;
  /** HTTP status with which the handshake was refused; undefined when it was not. */
  readonly status: number | undefined;
}

export interface SocketSettings {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: RegistryTls;
  readonly handshakeTimeoutMs: number;
  /** The server pings every 30 s; after so long without a sign of it the connection is given up, in milliseconds. */
  readonly silenceMs: number;
}

/** Largest frame: an event holds one instance. */
const MAX_FRAME_BYTES = 2 * 1024 * 1024;
/** HTTP status of a WebSocket handshake that worked. */
const SWITCHING_PROTOCOLS = 101;

/**
 * A WebSocket to service-center that is told to be over when it is: also when nothing comes any more. It sends nothing but pongs: a
 * client that pings makes the server stop its own pings, and one that writes is cut off.
 */
export class Socket {
  readonly #socket: WebSocket;
  #opened = false;
  #ended = false;
  #silence: TimerHandle | undefined;
  #status: number | undefined;
  #trouble = '';

  constructor(
    private readonly settings: SocketSettings,
    private readonly events: SocketEvents,
    private readonly timers: Timers,
  ) {
    const { url, headers, tls, handshakeTimeoutMs } = settings;
    this.#socket = new WebSocket(url, {
      headers,
      maxPayload: MAX_FRAME_BYTES,
      perMessageDeflate: false,
      followRedirects: false,
      ...(url.startsWith('wss:') ? tls : {}),
    });
    this.#silence = timers.after(handshakeTimeoutMs, () => this.#giveUp('no handshake in time'));
    this.#socket.on('open', () => {
      this.#opened = true;
      this.#heard();
      events.onOpen();
    });
    this.#socket.on('ping', () => this.#heard());
    this.#socket.on('message', (data, isBinary) => {
      this.#heard();
      if (!isBinary) events.onText(data.toString());
    });
    this.#socket.on('unexpected-response', (_request, response) => {
      this.#status = response.statusCode;
      response.resume();
      this.#giveUp(`the handshake was answered with ${response.statusCode ?? SWITCHING_PROTOCOLS}`);
    });
    this.#socket.on('error', (error) => (this.#trouble ||= error.message));
    this.#socket.on('close', (code, reason) => this.#end(code, reason.toString()));
  }

  /** Ends it without waiting for the server; `onEnd` is not called any more. */
  close(): void {
    this.#ended = true;
    this.#silence?.cancel();
    this.#socket.terminate();
  }

  /** Ends it without waiting for the server; `onEnd` is called. */
  abandon(): void {
    this.#giveUp('it is not needed any more');
  }

  #heard(): void {
    this.#silence?.cancel();
    if (!this.#ended) this.#silence = this.timers.after(this.settings.silenceMs, () => this.#giveUp('silence'));
  }

  #giveUp(trouble: string): void {
    this.#trouble ||= trouble;
    this.#socket.terminate();
  }

  #end(code: number, reason: string): void {
    this.#silence?.cancel();
    if (this.#ended) return;
    this.#ended = true;
    this.events.onEnd({ opened: this.#opened, code, reason: reason || this.#trouble, status: this.#status });
  }
}
