import type { Http2Stream } from './http2-stream.js';

/** What the streams wait for. */
interface Sender {
  readonly canSend: boolean;
}

/** The streams of a connection that only the connection holds up, by its window or its socket. They are served in turn. */
export class ReadyStreams {
  readonly #streams = new Set<Http2Stream>();

  add(stream: Http2Stream): void {
    this.#streams.add(stream);
  }

  delete(stream: Http2Stream): void {
    this.#streams.delete(stream);
  }

  /** Lets each stream send one turn after another, until none can or the connection is full. */
  serve(sender: Sender): void {
    const streams = this.#streams;
    let isMoving = true;
    while (isMoving && streams.size > 0) {
      isMoving = false;
      // Those that are put back stand at the end of the set, and the loop would come to them again.
      let left = streams.size;
      for (const stream of streams) {
        if (left-- === 0) break;
        // It keeps its place in the line; ends and trailers may pass it, because they need no window.
        if (!sender.canSend && stream.queuedBytes > 0) continue;
        streams.delete(stream);
        if (stream.sendQueued()) isMoving = true;
        if (stream.isReady && !stream.isClosed) streams.add(stream);
      }
      if (!sender.canSend) isMoving = false;
    }
  }
}
