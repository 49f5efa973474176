import type { Destination } from '../invocation.js';
import type { Endpoint } from '../registry/endpoint.js';

/** The local application at an address that its caller has chosen, rather than at a port that is looked up (transparent mode). */
export class LocalDestination implements Destination {
  constructor(
    readonly service: string,
    readonly endpoint: Endpoint,
  ) {}
}
