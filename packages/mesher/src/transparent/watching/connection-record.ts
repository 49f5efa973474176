import type { Direction, ErrorCode } from '@mesher/core';
import type { ConnectionVerdict, SeenProtocol } from '@mesher/proxy';
import type { DestinationRecord } from './destinations.js';

/**
 * How a connection ended. `closed`: both sides had ended it, or one of them without a reset; `refused`: nothing could be dialled;
 * `idle`: nothing moved for too long; `turned away`: it was passed on to nobody.
 */
export type ConnectionEnd = 'closed' | 'client reset' | 'server reset' | 'refused' | 'idle' | 'turned away';

/** A name has 253 characters (RFC 1035, 2.3.4), a colon and a port 6. Clients write what they like, and thousands of records may stay. */
const MAX_HOST = 259;

/** A copy: V8 would keep the whole text for its beginning. */
function shortened(host: string): string {
  return Buffer.from(`${host.slice(0, MAX_HOST)}…`).toString();
}

/** What is known of one connection. It holds no socket: records outlive their connections. */
export class ConnectionRecord {
  protocol: SeenProtocol | undefined;
  verdict: ConnectionVerdict | undefined;
  /** As the client named it; '' when it has not, or nobody could see it. */
  host = '';
  error: string | undefined;
  end: ConnectionEnd | undefined;
  /** From the client, and to it. */
  requestBytes = 0;
  responseBytes = 0;
  durationMs: number | undefined;

  constructor(
    /** Wall time, in milliseconds. */
    readonly at: number,
    /** As the clock for durations has it. */
    readonly startedAt: number,
    readonly client: string,
    readonly direction: Direction | 'unknown',
    /** The original destination; '' when nobody knows it. */
    readonly address: string,
    readonly port: number,
    private readonly destination?: DestinationRecord,
  ) {}

  decided(protocol: SeenProtocol, verdict: ConnectionVerdict): void {
    this.protocol = protocol;
    this.verdict = verdict;
    this.destination?.decided(protocol, verdict);
  }

  named(host: string): void {
    this.host = host.length > MAX_HOST ? shortened(host) : host;
    if (this.destination !== undefined) this.destination.lastHost = this.host;
  }

  refused(message: string): void {
    this.error = message;
    this.end = 'refused';
  }

  ended(code: ErrorCode | undefined, aborted: boolean): void {
    if (this.end !== undefined) return;
    if (aborted) this.end = 'client reset';
    else if (code === 'MESH_ERR_UPSTREAM_RESET') this.end = 'server reset';
    else if (code === 'MESH_ERR_TIMEOUT') this.end = 'idle';
    else {
      this.end = 'closed';
      if (code !== undefined) this.error = code;
    }
  }

  /** The socket of the client is gone. */
  closed(now: number, bytesRead: number, bytesWritten: number, byReset: boolean): void {
    this.durationMs = now - this.startedAt;
    this.requestBytes = bytesRead;
    this.responseBytes = bytesWritten;
    this.end ??= byReset ? 'client reset' : 'closed';
    this.destination?.closed(this);
  }
}
