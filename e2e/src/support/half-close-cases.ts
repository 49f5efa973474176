/** How a conversation begins: what it looks like to who detects protocols. */
export const OPENINGS = ['binary', 'TLS', 'server first'] as const;
export const ENDINGS = ['end', 'reset'] as const;
export const ENDERS = ['client', 'server', 'both', 'neither'] as const;
export const FLIGHTS = ['nothing', 'up', 'down', 'both ways'] as const;
export const SIZES = { small: 20, large: 3_000_000 } as const;

/** One conversation over one connection, which both ends know. */
export interface HalfCloseCase {
  readonly opening: (typeof OPENINGS)[number];
  /** Who ends first, or resets. */
  readonly ender: (typeof ENDERS)[number];
  readonly ending: (typeof ENDINGS)[number];
  /** What is sent right before that, and by the other side at the same time. */
  readonly flight: (typeof FLIGHTS)[number];
  readonly size: keyof typeof SIZES;
}

/** What one end has seen of a conversation. */
export interface Observation {
  readonly case: number;
  readonly side: 'client' | 'server';
  /** Bytes that came after the opening; of a reset, whether any were wrong, since nobody can say how many were on their way. */
  readonly received: number | 'a part';
  readonly isIntact: boolean;
  /** How the other side ended: `open` if it did not, `own reset` where that would not be seen. */
  readonly ended: 'end' | 'reset' | 'open' | 'own reset';
}

/** The port of the first case; each has its own. */
export const FIRST_PORT = 20_000;

/** Every combination. */
export const HALF_CLOSE_CASES: readonly HalfCloseCase[] = OPENINGS.flatMap((opening) =>
  ENDERS.flatMap((ender) =>
    ENDINGS.flatMap((ending) =>
      FLIGHTS.flatMap((flight) =>
        (Object.keys(SIZES) as (keyof typeof SIZES)[]).map((size) => ({ opening, ender, ending, flight, size })),
      ),
    ),
  ),
).filter(({ ender, ending, flight, size }) => {
  if (ender === 'neither' && ending === 'reset') return false;
  return flight !== 'nothing' || size === 'small';
});

/** In words, for messages. */
export function describeCase({ opening, ender, ending, flight, size }: HalfCloseCase): string {
  return `${opening}, ${ender} ${ending}, ${flight} in flight, ${size}`;
}

/** What a side sends after the opening. */
export function inFlight({ flight, size }: HalfCloseCase, side: 'client' | 'server'): Buffer {
  const sends = flight === 'both ways' || flight === (side === 'client' ? 'up' : 'down');
  return sends ? pattern(SIZES[size], side) : Buffer.alloc(0);
}

/** Bytes that differ at every place and by side, so that none can be lost, doubled or put elsewhere unseen. */
export function pattern(length: number, side: 'client' | 'server'): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let state = side === 'client' ? 1 : 2;
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[index] = state >>> 16;
  }
  return bytes;
}

/** What each side says before anything else, or the server as its answer: a record of TLS is a ClientHello as far as its head goes. */
export function openingWords({ opening }: HalfCloseCase): { readonly client: Buffer; readonly server: Buffer } {
  const hello = Buffer.concat([Buffer.from('160301004001', 'hex'), Buffer.alloc(63, 7)]);
  return {
    client: opening === 'TLS' ? hello : Buffer.from('\x00\x01 opening of the client'),
    server: Buffer.from('opening of the server'),
  };
}
