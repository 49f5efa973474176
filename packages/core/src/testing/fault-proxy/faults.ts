/** What happens to the bytes of one connection in one direction. */
export type Fault =
  /** They pass. */
  | { readonly kind: 'none' }
  /** Nothing arrives, neither bytes nor the end, as when packets are dropped; what was held arrives when the fault is over. */
  | { readonly kind: 'silence' }
  /** Each piece arrives so many milliseconds late. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** At most so many bytes arrive in a second, in twenty pieces. */
  | { readonly kind: 'throttle'; readonly bytesPerSecond: number }
  /** So many more bytes arrive. Then the connection is closed in order, reset, or nothing comes any more (like `silence`). */
  | { readonly kind: 'truncate'; readonly afterBytes: number; readonly ending: 'close' | 'reset' | 'silence' }
  /** After so many more bytes these arrive once, besides the others or instead of as many of them. */
  | {
      readonly kind: 'garbage';
      readonly afterBytes: number;
      readonly bytes: Buffer;
      readonly how: 'insert' | 'replace';
    }
  /** The end arrives now, and nothing after it; the other direction goes on. */
  | { readonly kind: 'half-close' };

export const NO_FAULT: Fault = { kind: 'none' };
const SILENCE: Fault = { kind: 'silence' };

/** What happens to one connection. */
export interface ConnectionFaults {
  /** Reset as soon as it is accepted. */
  readonly resets?: boolean;
  /** Default: no fault. */
  readonly toServer?: Fault;
  /** Default: no fault. */
  readonly toClient?: Fault;
}

/** A connection, for who decides about it. */
export interface ConnectionFacts {
  /** From 1, in the order in which they were accepted. */
  readonly number: number;
}

/**
 * - `refuse`: nobody listens, so that the system refuses. Open connections stay, see `cut`.
 * - the faults of every connection, those that are open included, or
 * - a function that is asked for each, and for the open ones at once.
 */
export type FaultMode = 'refuse' | ConnectionFaults | ((connection: ConnectionFacts) => ConnectionFaults);

/** With a quote and the end of a line, so that it is no part of JSON anywhere. */
const HTML = Buffer.from('<html><body class="x">\nIt works!</body></html>');

/** One of each kind, for tests that go through all of them. */
export const FAULT_MODES: Readonly<Record<string, FaultMode>> = {
  refuse: 'refuse',
  'black hole': { toServer: SILENCE, toClient: SILENCE },
  'no answers': { toClient: SILENCE },
  reset: { resets: true },
  delay: { toServer: { kind: 'delay', ms: 100 }, toClient: { kind: 'delay', ms: 100 } },
  throttle: { toClient: { kind: 'throttle', bytesPerSecond: 400 } },
  'truncated and closed': { toClient: { kind: 'truncate', afterBytes: 200, ending: 'close' } },
  'truncated and reset': { toClient: { kind: 'truncate', afterBytes: 200, ending: 'reset' } },
  'truncated and silent': { toClient: { kind: 'truncate', afterBytes: 200, ending: 'silence' } },
  'garbage for a start line': { toClient: { kind: 'garbage', afterBytes: 0, bytes: HTML, how: 'insert' } },
  'garbage in a body': { toClient: { kind: 'garbage', afterBytes: 250, bytes: HTML, how: 'replace' } },
  'garbage in a request': { toServer: { kind: 'garbage', afterBytes: 4, bytes: HTML, how: 'replace' } },
  'half-closed by the server': { toClient: { kind: 'half-close' } },
  'half-closed by the client': { toServer: { kind: 'half-close' } },
};
