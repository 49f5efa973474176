import type { Endpoint, ErrorCode } from '@mesher/core';

/** The relay behind an observer: takes what is to go on to the upstream, in the order in which it goes. */
export interface ObservedRelay {
  /** Where the connection was dialled, or is being dialled. */
  readonly endpoint: Endpoint | undefined;
  /** @param data text has one byte per char */
  sendUpstream(data: Buffer | string): void;
  /** Both sides are closed: nothing is under way. */
  closeIdle(): void;
}

/**
 * Sees what passes through a relay, and may add to what the client says. The upstream's bytes are passed on whatever it makes of them; those
 * of the client pass through its hands, and all of them go on in the end.
 */
export interface StreamObserver {
  /** Monotonic milliseconds at which {@link onDue} is to be called; Infinity for never. */
  readonly dueAt: number;
  begin(relay: ObservedRelay): void;
  /** @param chunk is the observer's from here on, and has not been passed on */
  onClientBytes(chunk: Buffer): void;
  /** Nothing more comes of the client: what was held back goes on. */
  onClientEnd(): void;
  /** @param bytes have been passed on, and are the caller's again after the return */
  onUpstreamBytes(bytes: Buffer): void;
  /** Nothing more comes of the upstream. Called once or more. */
  onUpstreamEnd(): void;
  onDue(): void;
  /** The process is about to end: a connection on which nothing is under way may go. */
  drain(): void;
  /**
   * The connection is over.
   * @param code why; undefined when the client has left, or both sides have ended
   * @param aborted the client broke it
   */
  onOver(code: ErrorCode | undefined, aborted: boolean): void;
}
