import type { AttemptFailure, Endpoint, Rejection } from '@mesher/core';
import type { ResponseScanner } from '../http1/response-scanner.js';
import type { UpstreamLink, WaitingLine } from './upstream-link.js';
import type { UpstreamUser } from './upstream-user.js';

/** A user of an upstream connection whose answer no client sees: what comes is thrown away unless a subclass says otherwise. */
export abstract class UnseenExchange implements UpstreamUser {
  abstract readonly isHead: boolean;

  get dechunk(): boolean {
    return false;
  }

  get upgrade(): string | undefined {
    return undefined;
  }

  abstract onConnecting(connection: UpstreamLink): void;
  abstract onWaiting(line: WaitingLine): void;
  abstract onRefused(rejection: Rejection): void;
  abstract onReached(endpoint: Endpoint): void;
  abstract onConnection(connection: UpstreamLink): void;
  abstract onAttemptFailed(failure: AttemptFailure): void;
  abstract onResponseEnd(): void;

  onUpstreamDrained(): void {
    // nobody is held up by it
  }

  onInformational(_scan: ResponseScanner, _buffer: Buffer, _start: number): void {
    // thrown away
  }

  onResponseHead(
    _scan: ResponseScanner,
    _buffer: Buffer,
    _start: number,
    _bodyEnd: number,
    complete: boolean,
    _untilClose: boolean,
  ): void {
    if (complete) this.onResponseEnd();
  }

  onResponseBody(_buffer: Buffer, _start: number, _end: number): void {
    // thrown away
  }

  onUpstreamClosedEarly(): void {
    this.onResponseEnd();
  }

  onUpgraded(): void {
    // never: a connection does not switch without `upgrade`
  }
}
