import type { Socket } from 'node:net';
import type { Direction, ErrorCode } from '@mesher/core';
import type { SeenProtocol, Verdict } from './transparent-counts.js';

/** Is told what becomes of one connection. Nothing here is called per request or per byte. */
export interface WatchedConnection {
  /** Once, when it is known what the client speaks and who decides. */
  decided(protocol: SeenProtocol, verdict: Verdict): void;
  /** The client has named a host: in its first request (HTTP/1), or as the one that it wants to talk to (TLS). In lower case. */
  named(host: string): void;
  /** Nothing could be dialled. @param message for people */
  refused(message: string): void;
  /** It was relayed, and is over. @param code why, if it is not both sides that have ended it @param aborted the client has left first, by a reset */
  ended(code: ErrorCode | undefined, aborted: boolean): void;
}

/** What becomes of a connection that is passed on to nobody. */
export type TurnedAway = Exclude<Verdict, 'mesh' | 'passed' | 'refused'>;

/** Is told of every connection that comes to a transparent listener, once. Whoever does not want to know leaves it out. */
export interface ConnectionWatcher {
  /** An intercepted connection; what becomes of it is told to who is returned. */
  begun(
    socket: Socket,
    direction: Direction,
    original: { readonly address: string; readonly port: number },
  ): WatchedConnection;
  /** It is passed on to nobody. */
  turnedAway(socket: Socket, verdict: TurnedAway, original?: { readonly address: string; readonly port: number }): void;
}
