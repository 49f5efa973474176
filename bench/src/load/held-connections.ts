import { connect, type Socket } from 'node:net';
import { endWithParent, report } from './helper.js';

export interface HeldConnections {
  /** 127.0.0.1 unless given, and called from several addresses then. */
  readonly host?: string;
  readonly port: number;
  readonly connections: number;
}

/** A held connection has come to rest, or has not: then with the reason, which may still come later. */
export type Settle = (fault?: string) => void;

/** Handshakes under way at once: below the listen queue of every candidate. */
const CONCURRENT_OPENS = 128;
/** Connections per source address 127.0.0.x, so that source ports never run short, whatever earlier rows left in TIME_WAIT. */
const PER_SOURCE_ADDRESS = 2_000;
const FIRST_SOURCE = 2;
/** So many are enough to see what is wrong. */
const MAX_FAULTS = 20;

/**
 * Opens many connections and holds them until the parent lets go. Reports to it once each has settled, and again whenever it asks with
 * a line `faults?`.
 *
 * @param begin what is said and awaited on a new connection; calls `settle` when it may rest
 */
export function holdConnections(
  { host, port, connections }: HeldConnections,
  begin: (socket: Socket, settle: Settle) => void,
): void {
  const faults: string[] = [];
  let opened = 0;
  let settled = 0;

  const openNext = (): void => {
    if (opened >= connections) return;
    const source = `127.0.0.${FIRST_SOURCE + Math.floor(opened / PER_SOURCE_ADDRESS)}`;
    opened += 1;
    let done = false;
    const settle: Settle = (fault) => {
      if (fault !== undefined && faults.length < MAX_FAULTS) faults.push(fault);
      if (done) return;
      done = true;
      settled += 1;
      if (settled === connections) report({ held: connections, faults });
      else openNext();
    };
    const socket = connect(host === undefined ? { host: '127.0.0.1', port, localAddress: source } : { host, port });
    socket.on('error', (error) => settle(error.message));
    socket.on('close', () => settle('a held connection was closed'));
    begin(socket, settle);
  };

  endWithParent((line) => {
    if (line === 'faults?') report({ held: connections, faults });
  });
  for (let lane = 0; lane < Math.min(CONCURRENT_OPENS, connections); lane += 1) openNext();
}
