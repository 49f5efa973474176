import type { Invocation } from '@mesher/core';

/** IPv4-mapped IPv6 addresses are written as IPv4, so that one client has one name on all listeners. */
export function plainAddress(address: string | undefined): string {
  if (address === undefined) return '';
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}

/** Value of `Server-Timing` (W3C): which sidecar, which way, to which instance, and the time until the head of the answer. */
export function serverTiming(call: Invocation, now: number): string {
  const target = call.endpoint === undefined ? '' : ` ${call.endpoint.key}`;
  // A resolver may answer any text; only what may stand in a quoted string of a field goes out.
  const service = call.destination === undefined ? '' : ` ${call.destination.service.replace(/[^\w.~:/-]/g, '_')}`;
  return `mesher;desc="${call.direction}${service}${target}";dur=${(now - call.startedAt).toFixed(2)}`;
}
