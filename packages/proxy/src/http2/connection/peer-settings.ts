import { ConnectionError, ErrorCode } from '../error-codes.js';
import { Setting, MIN_MAX_FRAME_BYTES } from '../frames/frame-format.js';
import { InitialWindow } from '../flow/send-window.js';

/** What the SETTINGS of a peer say, or the values of RFC 9113, 6.5.2 until they have come. */
export class PeerSettings {
  /** The first SETTINGS frame has come. */
  hasCome = false;
  readonly initialWindow = new InitialWindow();
  maxFrameBytes = MIN_MAX_FRAME_BYTES;
  /** Streams that the peer lets us open at once. */
  maxConcurrentStreams = Infinity;
  /** Largest header list that the peer takes, as RFC 9113, 10.5.1 counts it. */
  maxHeaderListBytes = Infinity;
  /** The peer takes CONNECT with `:protocol` (RFC 8441, 3). */
  allowsExtendedConnect = false;

  /** Takes a setting that needs nothing else to be done. @throws ConnectionError PROTOCOL_ERROR */
  take(id: number, value: number): void {
    if (id === Setting.maxFrameSize) this.maxFrameBytes = value;
    else if (id === Setting.maxConcurrentStreams) this.maxConcurrentStreams = value;
    else if (id === Setting.maxHeaderListSize) this.maxHeaderListBytes = value;
    else if (id === Setting.enableConnectProtocol) {
      if (value === 0 && this.allowsExtendedConnect) {
        throw new ConnectionError(ErrorCode.protocolError, 'extended CONNECT taken back (RFC 8441, 3)');
      }
      this.allowsExtendedConnect = value === 1;
    }
  }
}
