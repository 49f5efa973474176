const HEAD_END = Buffer.from('\r\n\r\n');
/** No head of ours is a tenth of this; more means that the peer does not speak HTTP. */
const MAX_HEAD_BYTES = 65_536;

/**
 * Counts HTTP/1.1 answers on one connection. It knows only what the bench asks for: answers framed by Content-Length.
 * Bytes of bodies are counted, not kept.
 */
export class ResponseReader {
  /** Status code of the last head. */
  status = 0;
  /** Answers completed so far. */
  completed = 0;
  /** Bytes of bodies so far. */
  bodyBytes = 0;
  private remaining = 0;
  private partial: Buffer | undefined;

  constructor(private readonly onStatus: (status: number) => void = () => undefined) {}

  /** Whether an answer has begun and not ended. */
  get midway(): boolean {
    return this.remaining > 0 || this.partial !== undefined;
  }

  /**
   * Takes the next bytes; returns how many answers they completed.
   *
   * @throws Error on an answer without Content-Length or without end of head
   */
  push(chunk: Buffer): number {
    const before = this.completed;
    let offset = 0;
    while (offset < chunk.length) {
      if (this.remaining > 0) {
        const taken = Math.min(this.remaining, chunk.length - offset);
        this.remaining -= taken;
        this.bodyBytes += taken;
        offset += taken;
        if (this.remaining === 0) this.completed += 1;
      } else {
        offset = this.pushHead(chunk, offset);
      }
    }
    return this.completed - before;
  }

  private pushHead(chunk: Buffer, offset: number): number {
    const kept = this.partial?.length ?? 0;
    const bytes =
      this.partial === undefined ? chunk.subarray(offset) : Buffer.concat([this.partial, chunk.subarray(offset)]);
    const end = bytes.indexOf(HEAD_END);
    if (end < 0) {
      if (bytes.length > MAX_HEAD_BYTES) throw new Error('the answer has no end of head');
      this.partial = Buffer.from(bytes);
      return chunk.length;
    }
    this.partial = undefined;
    const head = bytes.toString('latin1', 0, end + 2);
    const length = /\r\ncontent-length:[ \t]*(\d+)[ \t]*\r\n/i.exec(head)?.[1];
    if (!head.startsWith('HTTP/1.') || length === undefined) {
      throw new Error(`no answer with Content-Length: ${JSON.stringify(head.slice(0, 80))}`);
    }
    this.status = Number(head.slice(9, 12));
    this.onStatus(this.status);
    this.remaining = Number(length);
    if (this.remaining === 0) this.completed += 1;
    return offset + end + HEAD_END.length - kept;
  }
}
