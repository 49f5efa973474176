import {
  Invocation,
  type CallProtocol,
  type Destination,
  type Direction,
  type FieldBundle,
  type SourceIdentity,
  type SourceResolver,
} from '@mesher/core';

/** A connection that is passed on as bytes: the same road as a request, with nothing to read in it. */
export class TcpCall extends Invocation {
  readonly method = '';
  readonly path = '';
  readonly authority = '';
  /** What has been sent cannot be sent again; a connection that was never made can. */
  readonly idempotent = false;

  constructor(
    readonly direction: Direction,
    readonly protocol: CallProtocol,
    readonly remoteAddress: string,
    destination: Destination | undefined,
    private readonly sources: readonly SourceResolver[],
    /** What the upstream gets before anything else, as soon as there is a connection (PROXY protocol). */
    readonly preamble?: Buffer,
  ) {
    super();
    this.destination = destination;
  }

  get source(): SourceIdentity | undefined {
    for (const resolver of this.sources) {
      const source = resolver.identify(this);
      if (source !== undefined) return source;
    }
    return undefined;
  }

  header(): undefined {
    return undefined;
  }

  setHeader(): void {
    // bytes are passed on as they are
  }

  addHeader(): void {
    // bytes are passed on as they are
  }

  removeHeader(): void {
    // bytes are passed on as they are
  }

  addFields(_bundle: FieldBundle): void {
    // bytes are passed on as they are
  }

  setPath(): void {
    // bytes are passed on as they are
  }
}
