import type { RequestReceiver } from '../connection/stream-users.js';
import type { HeaderBlock } from '../hpack/header-block.js';
import type { ServerStream } from './server-stream.js';

/** What stands behind the connections of a listener. */
export interface StreamAcceptor {
  /**
   * A request has come, well-formed. It may be answered within the call.
   * @param endStream it has no body
   */
  accept(stream: ServerStream, head: HeaderBlock, endStream: boolean): RequestReceiver;
}
