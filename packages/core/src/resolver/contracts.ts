import type { CallView, Destination } from '../invocation.js';

/** Answers "which service is this call for?". */
export interface DestinationResolver {
  /**
   * @returns the destination; undefined when this resolver cannot tell (the caller then gets MESH_ERR_NO_ROUTE).
   * A resolver that must look something up returns a promise; it parks the call.
   */
  resolve(call: CallView): Destination | undefined | Promise<Destination | undefined>;
}

/** Who called, as far as is known. */
export interface SourceIdentity {
  readonly service: string;
  readonly app?: string;
  readonly version?: string;
  /** How the identity was found: an address is harder to forge than a header. */
  readonly by: 'ip' | 'header';
}

/** What is known about the other end of an accepted connection and its request. */
export interface PeerView {
  /** Address of the peer without a port, IPv4-mapped IPv6 written as IPv4; empty when unknown. */
  readonly remoteAddress: string;
  header(name: string): string | undefined;
}

/** Answers "who is calling?". */
export interface SourceResolver {
  identify(peer: PeerView): SourceIdentity | undefined;
}
