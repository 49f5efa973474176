import { Duplex } from 'node:stream';

/** A connection that is no socket: what is pushed is received, what is written is thrown away. */
export class MemoryConnection extends Duplex {
  override _read(): void {
    // bytes are pushed
  }

  override _write(_chunk: unknown, _encoding: BufferEncoding, done: () => void): void {
    done();
  }
}
