import { isIP } from 'node:net';
import { isLoopback, withoutMapping } from './loopback.js';
import { errorReply } from './reply.js';
import type { AdminReply } from './reply.js';

/** What the guard looks at. */
export interface GuardedRequest {
  readonly method: string;
  /** The request target as sent. */
  readonly target: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly secFetchSite: string | undefined;
  /** A sidecar passed the request on: its caller may be anybody. */
  readonly forwarded: boolean;
  /** The address of this machine at which the connection arrived. */
  readonly localAddress: string;
}

/**
 * Keeps web pages out. A page in the browser of somebody who can reach the admin port could otherwise read it, by a name that it
 * points to 127.0.0.1 (DNS rebinding: the Host field tells), or start a drain with a form (cross-site POST: Origin and
 * Sec-Fetch-Site tell). Programs send neither field and are not affected.
 */
export class RequestGuard {
  readonly #allowedHosts: ReadonlySet<string>;

  /** @param allowedHosts names and addresses, without port, that may stand in Host beside loopback and the own address */
  constructor(allowedHosts: readonly string[]) {
    this.#allowedHosts = new Set(allowedHosts.map(normalizeHost));
  }

  /** The refusal, or undefined when the request may pass. */
  check(request: GuardedRequest): AdminReply | undefined {
    if (!request.target.startsWith('/')) {
      return errorReply(
        400,
        'BAD_REQUEST',
        `the request target is ${JSON.stringify(request.target.slice(0, MAX_ECHO))}, not a path`,
        'This is the admin port. Calls go through the proxy port (30101 by default): check http_proxy.',
      );
    }
    // HTTP/1.0 allows a request without Host; Node refuses such an HTTP/1.1 request itself. No browser sends one.
    const host = request.host === undefined ? undefined : hostOf(request.host);
    if (host !== undefined && !this.#isOwnHost(host, request.localAddress)) {
      return errorReply(
        403,
        'FOREIGN_HOST',
        `the Host field says ${JSON.stringify(host.slice(0, MAX_ECHO))}, which is not the name of this admin port`,
        'Use localhost or the address that the admin port listens at, or add the name to admin.allowedHosts.',
      );
    }
    if (request.forwarded) {
      return errorReply(
        403,
        'FORWARDED',
        'a proxy passed this request on',
        'Ask the admin port directly. A call that came through an inbound port must not reach it.',
      );
    }
    const reads = request.method === 'GET' || request.method === 'HEAD';
    if (!reads && isCrossSite(request, host)) {
      return errorReply(
        403,
        'CROSS_SITE',
        'a web page of another site sent this request',
        'Send it with a program such as curl, without Origin and Sec-Fetch-Site.',
      );
    }
    return undefined;
  }

  #isOwnHost(host: string, localAddress: string): boolean {
    return isLoopback(host) || host === withoutMapping(localAddress) || this.#allowedHosts.has(host);
  }
}

/** Characters of the request that a message repeats; it is enough to recognise a mistake. */
const MAX_ECHO = 100;

/** A POST is same-site when the page came from this very port, or when the user typed it (`none`). */
function isCrossSite({ secFetchSite, origin, host: authority }: GuardedRequest, host: string | undefined): boolean {
  if (secFetchSite !== undefined && secFetchSite !== 'same-origin' && secFetchSite !== 'none') return true;
  if (origin === undefined) return false;
  // `null` (a sandboxed page) and anything that is no URL is foreign.
  if (host === undefined || authority === undefined || !URL.canParse(origin)) return true;
  return new URL(origin).host !== authority.toLowerCase();
}

/** The host of `host:port`, lower case, without brackets, port and trailing dot. */
function hostOf(authority: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d*)?$/.exec(authority);
  return normalizeHost(bracketed?.[1] ?? authority.replace(/:\d*$/, ''));
}

function normalizeHost(host: string): string {
  const lower = host.trim().toLowerCase();
  if (isIP(lower) === 6) return withoutMapping(lower);
  return lower.endsWith('.') ? lower.slice(0, -1) : lower;
}
