import type { Ports, TimerHandle } from '@mesher/core';
import type { WebSocket } from 'ws';

/** Of pongs that the other side has not taken. */
const MAX_UNREAD_BYTES = 64 * 1024;

/** After so long without a ping or pong, service-center gives a connection up: four of its pings. */
const SILENCE_IN_PINGS = 4;

/** Pings on a timer, and the end of a connection that says nothing. */
export class ServerSocket {
  readonly #ticks: TimerHandle;
  #silence: TimerHandle | undefined;
  #pings = true;

  /**
   * @param beforePing called for each ping that is due; false leaves it out
   * @param onPong the other side lives
   */
  constructor(
    private readonly ports: Ports,
    private readonly socket: WebSocket,
    private readonly pingIntervalMs: number,
    beforePing: () => boolean,
    onPong: () => void,
  ) {
    this.#ticks = ports.timers.every(pingIntervalMs, () => {
      if (this.#pings && beforePing()) socket.ping();
    });
    this.#heard();
    socket.on('pong', () => {
      this.#heard();
      onPong();
    });
    socket.on('ping', () => {
      // Each ping makes a pong: who sends them faster than it reads would fill the memory.
      if (socket.bufferedAmount > MAX_UNREAD_BYTES) socket.terminate();
      // A client that pings by itself is no longer pinged.
      this.#pings = false;
      this.#heard();
    });
    // A frame that is too long, for example: it ends the connection, which is all there is to say.
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#ticks.cancel();
      this.#silence?.cancel();
    });
  }

  #heard(): void {
    this.#silence?.cancel();
    this.#silence = this.ports.timers.after(this.pingIntervalMs * SILENCE_IN_PINGS, () => this.socket.terminate());
  }
}
