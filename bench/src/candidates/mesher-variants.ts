/** One way to run the sidecar. This file is the one place that says how the variants differ. */
export interface MesherVariant {
  readonly id: string;
  readonly words: string;
  /** Lines for chassis.yaml below `servicecomb:`, indented by two spaces. */
  readonly chassisLines: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Further configuration files, by name. */
  readonly files?: Readonly<Record<string, string>>;
}

/** As a user starts it: the default handler chain, metrics on. */
export const FULL: MesherVariant = { id: 'mesher', words: 'default chain, metrics', chassisLines: [], env: {} };

/** What the wire core costs without policies: picking an instance and sending, nothing recorded. */
export const BARE: MesherVariant = {
  id: 'mesher-bare',
  words: 'bare relay, no metrics',
  chassisLines: ['  handler:', '    chain:', '      Consumer:', '        outgoing: loadbalance,transport'],
  env: { MESHER_METRICS_ENABLE: 'false' },
};

/** A TCP listener beside the default ones. */
export const RELAY: MesherVariant = { id: 'mesher-tcp', words: 'tcp listener', chassisLines: [], env: {} };

/** The same two over HTTP/2: the listener tells the protocols apart by itself. */
export const FULL_HTTP2: MesherVariant = { ...FULL, id: 'mesher-h2' };
export const BARE_HTTP2: MesherVariant = { ...BARE, id: 'mesher-h2-bare' };
