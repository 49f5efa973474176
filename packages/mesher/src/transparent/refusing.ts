import { Rejection, type CallHandler, type Direction } from '@mesher/core';

/** Answers everything with one rejection. */
export function refusing(direction: Direction, rejection: Rejection): CallHandler {
  const nothing = (): void => undefined;
  return { direction, begin: () => rejection, again: () => rejection, connected: nothing, end: nothing };
}

/**
 * Answers who calls the transparent listener itself. It never acts as a proxy for them: the listener can be reached from other machines, and
 * would send anybody's calls anywhere in the name of this one.
 */
export function refuseDirect(port: number): CallHandler {
  const rejection = new Rejection(
    'MESH_ERR_NO_ROUTE',
    `Port ${port} of this sidecar takes connections that rules of interception bring, and no rule has brought this one`,
    undefined,
    'Call the service itself. If nothing is intercepted, run mesher intercept verify in this network namespace',
  );
  return refusing('inbound', rejection);
}
