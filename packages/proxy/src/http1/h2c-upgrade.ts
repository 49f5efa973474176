import { translateRequest } from '../bridge/request-block.js';
import { readSettings } from '../http2/frames/settings-payload.js';
import { requestProblem } from '../http2/header-rules.js';
import type { HeaderBlock } from '../http2/hpack/header-block.js';
import { latin1 } from './characters.js';
import { FieldName, findField } from './field-lookup.js';
import type { Http1Call } from './http1-call.js';
import type { RequestScanner } from './request-scanner.js';

const SETTINGS = new FieldName('http2-settings');
const CONNECTION = new FieldName('connection');
/** Base64 in its variant for URLs, without padding (RFC 7540, 3.2.1). */
const BASE64URL = /^[A-Za-z0-9_-]*$/;

/** What is sent before the connection speaks HTTP/2 (RFC 7540, 3.2). */
export const SWITCHED_TO_H2C = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n';

/** A request that asks for HTTP/2 on its connection, and becomes stream 1 of it. */
export interface H2cUpgrade {
  readonly head: HeaderBlock;
  /** The payload of a SETTINGS frame, which counts as received and acknowledged. */
  readonly settings: Buffer;
}

/** True when `Upgrade` names h2c. */
export function asksForH2c(buffer: Buffer, scan: RequestScanner): boolean {
  const { upgradeStart, upgradeEnd } = scan;
  return upgradeStart !== 0 && /(?:^|,)\s*h2c\s*(?:,|$)/i.test(latin1(buffer, upgradeStart, upgradeEnd));
}

/**
 * Reads what an upgrade to h2c needs. RFC 9113 has dropped it, but older clients still ask for it with every first request.
 * @param scan has just scanned the head of this request, which has no body
 * @returns undefined when the request is not all that RFC 7540, 3.2 asks for: it is answered as one of HTTP/1
 */
export function readH2cUpgrade(buffer: Buffer, scan: RequestScanner, call: Http1Call): H2cUpgrade | undefined {
  if (scan.minorVersion !== 1 || scan.form === 'authority') return undefined;
  const end = scan.end - 2;
  const named = findField(buffer, scan.fieldsStart, end, CONNECTION) ?? '';
  if (!/(?:^|,)\s*http2-settings\s*(?:,|$)/i.test(named)) return undefined;
  // Several of them would be joined by a comma, which is no digit of base64.
  const value = findField(buffer, scan.fieldsStart, end, SETTINGS);
  if (value === undefined || !BASE64URL.test(value)) return undefined;
  const settings = Buffer.from(value, 'base64url');
  if (!areSettings(settings)) return undefined;
  const head = translateRequest(call.render(scan)).block;
  return requestProblem(head, { extendedConnect: false }, true) === undefined ? { head, settings } : undefined;
}

function areSettings(payload: Buffer): boolean {
  try {
    readSettings(0, payload, 0, payload.length, CHECK);
    return true;
  } catch {
    return false;
  }
}

const CHECK = {
  setting: (): void => undefined,
  settingsEnd: (): void => undefined,
  settingsAcknowledged: (): void => undefined,
};
