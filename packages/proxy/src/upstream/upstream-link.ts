import type { UpstreamUser } from './upstream-user.js';

/** What a tunnel hears from its upstream side: bytes of a protocol that is not HTTP. */
export interface TunnelEnd {
  /** The bytes are good until the return, unless they were pinned. */
  onUpstreamBytes(buffer: Buffer, start: number, end: number): void;
  onUpstreamDrained(): void;
  /** The upstream sends nothing more, but still takes what comes. */
  onUpstreamEnd(): void;
  /** @param broken by a reset or another error, which is passed on */
  onUpstreamClosed(broken: boolean): void;
}

/** The upstream half of a tunnel, as the tunnel uses it. */
export interface TunnelLink {
  /** Bytes waiting for the upstream to read them. */
  readonly backlog: number;
  writeBody(bytes: Buffer): void;
  /** Asks for `onUpstreamDrained`. */
  notifyWhenDrained(): void;
  endWriting(): void;
  /** Bytes that were given out are still held on to: they must not be overwritten before {@link resumeDrained}. */
  pin(): void;
  /** Gives out no more until {@link resumeDrained}. */
  pause(): void;
  resumeDrained(): void;
  /** Closes with a reset: what the upstream has got is not everything. */
  reset(): void;
  destroy(): void;
  /** Closes once everything written has left. */
  destroySoon(): void;
}

/**
 * What carries one exchange of HTTP/1 to an instance, as the exchange uses it: a connection of HTTP/1, or the bridge to a stream of
 * HTTP/2. Requests are written as HTTP/1 has them, chunks included, and answers come the same way.
 */
export interface UpstreamLink extends TunnelLink {
  /** Who gets the answer. */
  user: UpstreamUser | undefined;
  /** A head, or all of a request. */
  write(text: string): void;
  writeHeadAndBody(head: string, body: Buffer): void;
  /** From here on the bytes are no HTTP. */
  becomeTunnel(tunnel: TunnelEnd): void;
  /** The exchange has ended: request and answer are complete. */
  finish(): void;
  /** The answer is not wanted; the request has been sent whole. */
  discard(): void;
  /** Its user has no further interest. */
  abandon(): void;
}

/** Where users stand that have to wait for a link. */
export interface WaitingLine {
  /** The user no longer waits. */
  leave(user: UpstreamUser): void;
}
