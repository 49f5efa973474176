import { isIP } from 'node:net';
import {
  definePlugin,
  type CallView,
  type Destination,
  type DestinationResolver,
  type IpIndex,
  type PluginDefinition,
} from '@mesher/core';
import { splitAuthority } from './authority.js';

/** For callers that name an address instead of a service: the service is the one that is registered there. */
export class IpResolver implements DestinationResolver {
  constructor(private readonly index: IpIndex) {}

  resolve(call: CallView): Destination | undefined {
    const { host, port } = splitAuthority(call.authority);
    if (isIP(host) === 0) return undefined;
    // A registered port is the sidecar's or the instance's own: only another port is worth passing on.
    const registered = port === undefined ? undefined : this.index.byAddress(host, port);
    if (registered !== undefined) return { service: registered.service };
    const instance = this.index.byIp(host);
    if (instance === undefined) return undefined;
    return port === undefined ? { service: instance.service } : { service: instance.service, port };
  }
}

/** `ip`: the destination address is looked up in the IP index of the registry. */
export const ipResolver: PluginDefinition<'destination-resolver', undefined> = definePlugin({
  kind: 'destination-resolver',
  name: 'ip',
  create: (_config, context) => new IpResolver(context.ipIndex),
});
