import { ConnectionError, ErrorCode } from '../error-codes.js';
import { MAX_WINDOW } from '../flow/window-limits.js';
import { Flag, MAX_MAX_FRAME_BYTES, MIN_MAX_FRAME_BYTES, Setting, readUint32 } from './frame-format.js';
import type { FrameSink } from './frame-sink.js';

/** Bytes of one setting: its id and its value. */
const SETTING_BYTES = 6;

/** Refuses values that RFC 9113, 6.5.2 and RFC 8441, 3 do not allow; true for settings that mean something to us. */
function checkSetting(id: number, value: number): boolean {
  switch (id) {
    case Setting.headerTableSize:
    case Setting.maxConcurrentStreams:
    case Setting.maxHeaderListSize:
      return true;
    case Setting.enablePush:
    case Setting.enableConnectProtocol:
      if (value > 1) throw new ConnectionError(ErrorCode.protocolError, `setting ${id} is neither 0 nor 1`);
      return true;
    case Setting.initialWindowSize:
      if (value > MAX_WINDOW) throw new ConnectionError(ErrorCode.flowControlError, 'initial window too large');
      return true;
    case Setting.maxFrameSize:
      if (value < MIN_MAX_FRAME_BYTES || value > MAX_MAX_FRAME_BYTES) {
        throw new ConnectionError(ErrorCode.protocolError, 'frame size outside of its range');
      }
      return true;
    default:
      return false;
  }
}

/** Who is told what a SETTINGS frame says. */
export type SettingsSink = Pick<FrameSink, 'setting' | 'settingsEnd' | 'settingsAcknowledged'>;

/** Reads the payload of a SETTINGS frame (RFC 9113, 6.5); unknown settings are skipped. */
export function readSettings(flags: number, buffer: Buffer, start: number, length: number, sink: SettingsSink): void {
  if ((flags & Flag.ack) !== 0) {
    if (length !== 0) throw new ConnectionError(ErrorCode.frameSizeError, 'acknowledgement of SETTINGS with a payload');
    sink.settingsAcknowledged();
    return;
  }
  if (length % SETTING_BYTES !== 0) throw new ConnectionError(ErrorCode.frameSizeError, 'SETTINGS of a wrong length');
  for (let at = start; at < start + length; at += SETTING_BYTES) {
    const id = (buffer[at] << 8) | buffer[at + 1];
    const value = readUint32(buffer, at + 2);
    if (checkSetting(id, value)) sink.setting(id, value);
  }
  sink.settingsEnd();
}
