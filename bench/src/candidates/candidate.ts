import type { LaunchSpec } from '../process/launch.js';

/** HTTP/1 proxying, HTTP/2 and gRPC proxying, relaying of bytes, or HTTP proxying with one policy at a time, to see what each costs. */
export type Layer = 'l7' | 'h2' | 'l4' | 'policies';

/** What a candidate gets to start from. */
export interface Site {
  /** An empty folder of its own. */
  readonly folder: string;
  readonly upstreamPort: number;
  readonly sinkPort: number;
  /** The same bodies as at `upstreamPort`, over HTTP/2 with prior knowledge. */
  readonly http2Port: number;
  /** A gRPC server. */
  readonly grpcPort: number;
  /** How many client connections it must be able to hold. */
  readonly capacity: number;
  /** Picks a port of 127.0.0.1 that nothing listens on. */
  pickPort(): Promise<number>;
}

/** How to start a candidate once: its files are written, only the programs are left to launch. */
export interface LaunchPlan {
  readonly programs: readonly LaunchSpec[];
  /** Where requests go: HTTP for l7 and policies, HTTP/2 for h2, bytes to the HTTP upstream for l4. */
  readonly port: number;
  /** l4 only: a listener that relays to the sink. */
  readonly sinkPort?: number;
  /** h2 only: a listener that passes calls on to the gRPC server; `port` unless given. */
  readonly grpcPort?: number;
  /** What answers 200 once the candidate is ready; by default a small request through `port`. */
  readonly ready?: { readonly port: number; readonly path: string };
}

/** One thing that is measured. */
export interface Candidate {
  readonly id: string;
  readonly layer: Layer;
  /** Name and version for the tables. */
  readonly label: string;
  /** Writes the configuration and says what to launch. */
  prepare(site: Site): Promise<LaunchPlan>;
}

/** A candidate that cannot be measured here, and how to mend that. */
export interface Missing {
  readonly id: string;
  readonly reason: string;
}

/** What one finder came to. */
export interface Found {
  readonly candidates: readonly Candidate[];
  readonly missing: readonly Missing[];
}
