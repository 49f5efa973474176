import {
  definePlugin,
  type CallView,
  type Destination,
  type DestinationResolver,
  type PluginDefinition,
} from '@mesher/core';
import { MAX_AUTHORITY_LENGTH, destinationOf } from './authority.js';

/** Answers kept: callers use the same few names. The bound stops made-up names from filling the memory. */
const MAX_KEPT = 1000;

/** The host name is the name of the service; a port in it goes to the called sidecar. */
export class HostResolver implements DestinationResolver {
  readonly #known = new Map<string, Destination | undefined>();

  resolve(call: CallView): Destination | undefined {
    const { authority } = call;
    if (authority.length > MAX_AUTHORITY_LENGTH) return undefined;
    const known = this.#known.get(authority);
    if (known !== undefined || this.#known.has(authority)) return known;
    const destination = destinationOf(authority);
    if (this.#known.size >= MAX_KEPT) this.#known.clear();
    this.#known.set(authority, destination);
    return destination;
  }
}

/** `host`: the default for HTTP. */
export const hostResolver: PluginDefinition<'destination-resolver', undefined> = definePlugin({
  kind: 'destination-resolver',
  name: 'host',
  create: () => new HostResolver(),
});

/** `authority`: the default for gRPC, whose `:authority` has the same form as a Host field. */
export const authorityResolver: PluginDefinition<'destination-resolver', undefined> = definePlugin({
  kind: 'destination-resolver',
  name: 'authority',
  create: () => new HostResolver(),
});
