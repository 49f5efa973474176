import type { ErrorCode } from '../error-codes.js';
import type { FrameSink } from '../frames/frame-sink.js';

/** Keeps what a frame reader found as lines of text; pieces of DATA are joined, so that chunk boundaries leave no trace. */
export class RecordingSink implements FrameSink {
  readonly events: string[] = [];
  /** DATA pieces that were reported. */
  pieces = 0;
  #data = '';

  dataBegins(streamId: number, flowBytes: number, paddingBytes: number, endStream: boolean): void {
    this.events.push(`data ${streamId} ${flowBytes} padding ${paddingBytes}${endStream ? ' end' : ''}`);
    this.#data = '';
  }

  dataPiece(buffer: Buffer, start: number, end: number, isLast: boolean): void {
    this.pieces++;
    this.#data += buffer.toString('hex', start, end);
    if (isLast) this.events.push(`payload ${this.#data}`);
  }

  headers(streamId: number, endStream: boolean, buffer: Buffer, start: number, end: number, isSelf: boolean): void {
    const marks = `${endStream ? ' end' : ''}${isSelf ? ' self' : ''}`;
    this.events.push(`headers ${streamId} ${buffer.toString('hex', start, end)}${marks}`);
  }

  reset(streamId: number, code: number): void {
    this.events.push(`reset ${streamId} ${code}`);
  }

  setting(id: number, value: number): void {
    this.events.push(`setting ${id} ${value}`);
  }

  settingsEnd(): void {
    this.events.push('settings end');
  }

  settingsAcknowledged(): void {
    this.events.push('settings acknowledged');
  }

  ping(buffer: Buffer, start: number, isAnswer: boolean): void {
    this.events.push(`ping ${buffer.toString('hex', start, start + 8)}${isAnswer ? ' answer' : ''}`);
  }

  goaway(lastStreamId: number, code: number, buffer: Buffer, start: number, end: number): void {
    this.events.push(`goaway ${lastStreamId} ${code} ${buffer.toString('latin1', start, end)}`);
  }

  windowUpdate(streamId: number, increment: number): void {
    this.events.push(`window ${streamId} ${increment}`);
  }

  ignored(streamId: number, type: number): void {
    this.events.push(`ignored ${streamId} ${type}`);
  }

  streamError(streamId: number, code: ErrorCode, _problem: string): void {
    this.events.push(`stream error ${streamId} ${code}`);
  }
}
