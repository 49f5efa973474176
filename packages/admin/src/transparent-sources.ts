import type { JsonValue } from './sources.js';

/** What the admin API shows of the transparent mode. */
export interface TransparentSources {
  view(): TransparentView;
  /** The newest first. */
  connections(): readonly RecentConnectionView[];
  /**
   * What would become of a connection, and why; nothing is dialled, counted or remembered.
   * @param query `address`, `port`, and if need be `protocol` and `host`
   * @throws MeshError MESH_ERR_EXPLAIN_REQUEST when the question makes no sense
   */
  explain(query: URLSearchParams): object;
}

export interface TransparentView {
  readonly listener: { readonly host: string; readonly port: number };
  /** User and group of the process, and whether rules leave it alone by default. */
  readonly runsAs: string;
  /** Those in force, as `transparent` has them. */
  readonly settings: { readonly [key: string]: JsonValue | undefined };
  /** Original destinations, those used last first; `transparent.maxDestinations` bounds them. */
  readonly destinations: readonly DestinationView[];
}

/** The connections to one original destination since it was first seen. */
export interface DestinationView {
  readonly address: string;
  readonly port: number;
  readonly direction: string;
  /** Of known services. */
  readonly service?: string;
  /** That a client has named last. */
  readonly host?: string;
  /** How many spoke what. */
  readonly protocols: Readonly<Record<string, number>>;
  readonly verdicts: Readonly<Record<string, number>>;
  readonly connections: number;
  readonly open: number;
  /** Of connections that have ended: from their clients, and to them. */
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** When the last one began, ISO 8601. */
  readonly lastAt: string;
  readonly lastError?: { readonly at: string; readonly message: string };
}

export interface RecentConnectionView {
  /** When it began, ISO 8601. */
  readonly at: string;
  readonly client: string;
  /** The original destination. */
  readonly address: string;
  readonly port: number;
  readonly direction: string;
  /** Left out until it is known. */
  readonly protocol?: string;
  /** That the client has named: the first request, or the ClientHello. */
  readonly host?: string;
  readonly verdict?: string;
  /** As it would be decided now. */
  readonly reason: string;
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** Left out while it is open. */
  readonly durationMs?: number;
  /** `open`, or how it ended. */
  readonly end: string;
  readonly error?: string;
}
