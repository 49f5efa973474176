/** The service that the bench asks for, and how many instances it has. */
export interface FleetTask {
  readonly instances: number;
}

/** How the client is started for one scenario. */
export interface ClientTask {
  /** Of service-center. */
  readonly address: string;
  readonly confDir: string;
  readonly rounds: number;
  /** Follows everything for the index of addresses, instead of one service. */
  readonly everything: boolean;
}

/** What the longest turn of the event loop took, in milliseconds. */
export interface Turn {
  /** By the clock, whatever else the machine did. */
  readonly wall: number;
  /** On a CPU; undefined where the kernel does not say. */
  readonly cpu: number | undefined;
}

/** One thing that was measured, with a figure per round. */
export interface Measured {
  readonly what: string;
  readonly turns: readonly Turn[];
  /** Until it was done, by the clock. */
  readonly doneMs: readonly number[];
}

export const SERVICE = 'orders';
export const APP = 'shop';
