import type { AttemptFailure, Endpoint } from '@mesher/core';
import type { AnswerReceiver } from '../connection/stream-users.js';
import { summarize } from '../field-summary.js';
import type { HeaderBlock } from '../hpack/header-block.js';

/** Keeps what an attempt says of its answer, as lines of text. */
export class RecordedAnswer implements AnswerReceiver {
  readonly events: string[] = [];
  /** How often it was told that the attempt is over: once, whatever the peer does. */
  ends = 0;
  /** Bytes of the request that have left. */
  sentBytes = 0;
  body = '';
  /** Gives back what has come, so that more may come; undefined for a receiver that takes no more. */
  takes: ((bytes: number) => void) | undefined = undefined;
  failure: AttemptFailure | undefined = undefined;
  resetCode = -1;

  get status(): string {
    return this.events.find((event) => event.startsWith('head'))?.slice('head '.length) ?? '';
  }

  onRequestBegun(): void {
    this.events.push('begun');
  }

  onReached(_endpoint: Endpoint): void {
    this.events.push('reached');
  }

  onRequestSent(bytes: number): void {
    this.sentBytes += bytes;
  }

  onInterimAnswer(block: HeaderBlock): void {
    this.events.push(`interim ${summarize(block).status}`);
  }

  onAnswerHead(block: HeaderBlock, endStream: boolean): void {
    this.events.push(`head ${summarize(block).status}`);
    if (endStream) this.#end('end');
  }

  onAnswerData(buffer: Buffer, start: number, end: number, endStream: boolean): void {
    this.body += buffer.toString('latin1', start, end);
    this.takes?.(end - start);
    if (endStream) this.#end('end');
  }

  onAnswerTrailers(block: HeaderBlock): void {
    this.events.push(`trailers ${block.fields.map(({ name, value }) => `${name}=${value}`).join()}`);
    this.#end('end');
  }

  onAttemptFailed(failure: AttemptFailure, resetCode: number): void {
    this.failure = failure;
    this.resetCode = resetCode;
    this.#end(`failed ${failure.code}${failure.sent ? ' sent' : ''}${failure.reusedConnection ? ' reused' : ''}`);
  }

  #end(event: string): void {
    this.ends++;
    this.events.push(event);
  }
}
