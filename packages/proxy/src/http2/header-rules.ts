import { AUTHORITY, TARGET, TOKEN } from '../http1/characters.js';
import { Pseudo, summarize, type FieldSummary } from './field-summary.js';
import type { HeaderBlock } from './hpack/header-block.js';

/*
 * Which blocks make a well-formed message (RFC 9113, 8). Each function returns undefined, or what is wrong with the block in
 * words that complete `The message has ...`; a malformed message is a stream error PROTOCOL_ERROR (8.1.1).
 */

const REQUEST = Pseudo.method | Pseudo.scheme | Pseudo.path;
const CONNECT = Pseudo.method | Pseudo.authority;
const EXTENDED_CONNECT = REQUEST | Pseudo.authority | Pseudo.protocol;
const STATUS = /^[1-9]\d\d$/;
/** RFC 3986, 3.1. */
const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*$/;
const SWITCHING_PROTOCOLS = '101';

/** Settings of our side that change the rules for requests. */
export interface RequestRules {
  /** We announced SETTINGS_ENABLE_CONNECT_PROTOCOL: CONNECT may carry `:protocol` (RFC 8441, 4). */
  readonly extendedConnect: boolean;
}

function hasOnly(bytes: Uint8Array, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[text.charCodeAt(i)] !== 1) return false;
  return true;
}

function pathProblem({ method, path, scheme }: FieldSummary): string | undefined {
  // Looked at first as the two that nearly all requests have.
  if (scheme !== 'http' && scheme !== 'https' && !SCHEME.test(scheme)) return 'a :scheme that is none';
  if (path === '') return 'an empty :path';
  if (!hasOnly(TARGET, path)) return 'a :path with bytes that are not allowed there';
  if (path === '*') return method === 'OPTIONS' ? undefined : 'a :path * without OPTIONS';
  const isHttp = scheme === 'http' || scheme === 'https';
  return isHttp && path.charCodeAt(0) !== 47 ? 'a :path that does not begin with a slash' : undefined;
}

function authorityProblem({ pseudo, authority, host, scheme }: FieldSummary): string | undefined {
  const isGiven = (pseudo & Pseudo.authority) !== 0;
  if (isGiven && (authority === '' || !hasOnly(AUTHORITY, authority))) return 'an :authority that names no host';
  if (host === undefined) {
    // A URI of these schemes has a host (RFC 9110, 4.2.3), and servers refuse requests without one, which would speak against them.
    const needsHost = !isGiven && (scheme === 'http' || scheme === 'https');
    return needsHost ? 'neither :authority nor a host field' : undefined;
  }
  if (host === '' || !hasOnly(AUTHORITY, host)) return 'a host field that names no host';
  // Whoever looks at one only would route the request elsewhere than whoever looks at the other.
  return isGiven && host.toLowerCase() !== authority.toLowerCase() ? 'a host field other than :authority' : undefined;
}

function pseudoProblem({ pseudo, method }: FieldSummary, rules: RequestRules): string | undefined {
  if ((pseudo & Pseudo.status) !== 0) return 'a :status in a request';
  if ((pseudo & Pseudo.protocol) !== 0) {
    if (!rules.extendedConnect || method !== 'CONNECT') return 'a :protocol that was not agreed on';
    return pseudo === EXTENDED_CONNECT ? undefined : 'not all pseudo-header fields of an extended CONNECT';
  }
  if (method === 'CONNECT') {
    return pseudo === CONNECT ? undefined : 'other pseudo-header fields than :method and :authority in a CONNECT';
  }
  return (pseudo & REQUEST) === REQUEST ? undefined : 'not all pseudo-header fields of a request';
}

function requestProblemOf(summary: FieldSummary, rules: RequestRules): string | undefined {
  const problem = summary.problem ?? pseudoProblem(summary, rules);
  if (problem !== undefined) return problem;
  if (summary.method === '' || !hasOnly(TOKEN, summary.method)) return 'a :method that is no token';
  if ((summary.pseudo & Pseudo.path) !== 0) {
    const wrong = pathProblem(summary);
    if (wrong !== undefined) return wrong;
  }
  return authorityProblem(summary);
}

/**
 * What is wrong with the header section of a request; undefined when it is well-formed.
 * @param endStream it is all of the request
 */
export function requestProblem(block: HeaderBlock, rules: RequestRules, endStream = false): string | undefined {
  const summary = summarize(block);
  const problem = requestProblemOf(summary, rules);
  if (problem !== undefined || !endStream) return problem;
  return isLengthBroken(summary.contentLength, 0, true)
    ? 'no content, but a content-length that announces some'
    : undefined;
}

/** What is wrong with the header section of an answer, final or interim; undefined when it is well-formed. */
export function responseProblem(block: HeaderBlock): string | undefined {
  const { problem, pseudo, status } = summarize(block);
  if (problem !== undefined) return problem;
  if (pseudo !== Pseudo.status) return 'other pseudo-header fields than :status in an answer';
  if (!STATUS.test(status)) return 'a :status that is no number of three digits';
  return status === SWITCHING_PROTOCOLS ? 'status 101, which HTTP/2 does not have' : undefined;
}

/** What is wrong with a trailer section (RFC 9113, 8.1); undefined when it is well-formed. */
export function trailerProblem(block: HeaderBlock): string | undefined {
  const { problem, pseudo, contentLength } = summarize(block);
  if (problem !== undefined) return problem;
  if (pseudo !== 0) return 'a pseudo-header field in a trailer section';
  return contentLength >= 0 ? 'a content-length in a trailer section' : undefined;
}

/**
 * Compares a body with its content-length (RFC 9113, 8.1.1).
 * @param contentLength bytes, -1 when none was announced or the message has none to compare (answers to HEAD, 304)
 * @param received bytes of content so far, without padding
 * @param isEnd whether the message ends here
 */
export function isLengthBroken(contentLength: number, received: number, isEnd: boolean): boolean {
  return contentLength >= 0 && (received > contentLength || (isEnd && received !== contentLength));
}
