import type { SourceResolver } from '@mesher/core';
import type { Environment } from '../environment.js';
import type { OpenConnection, ReceptionHost } from '../reception.js';
import type { DialledSockets } from '../tcp/relay-socket.js';

/** The inbound connections of a transparent listener. On a drain they end first: to finish them, the application may need outbound ones. */
export class InboundSide implements ReceptionHost {
  readonly #open = new Set<OpenConnection>();
  #isDraining = false;
  #onEmpty: (() => void) | undefined;

  constructor(private readonly listener: ReceptionHost) {}

  get env(): Environment {
    return this.listener.env;
  }

  get sockets(): DialledSockets {
    return this.listener.sockets;
  }

  get sources(): readonly SourceResolver[] {
    return this.listener.sources;
  }

  get draining(): boolean {
    return this.#isDraining || this.listener.draining;
  }

  opened(connection: OpenConnection): void {
    this.#open.add(connection);
    this.listener.opened(connection);
  }

  closed(connection: OpenConnection): void {
    this.listener.closed(connection);
    if (this.#open.delete(connection) && this.#open.size === 0) this.#onEmpty?.();
  }

  /** Closes what is idle; resolves when the last connection has ended. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    for (const connection of [...this.#open]) connection.drain?.();
    // A connection that is handed on is closed and opened in one turn.
    while (this.#open.size > 0) await new Promise<void>((resolve) => (this.#onEmpty = resolve));
  }
}
