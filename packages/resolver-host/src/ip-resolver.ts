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
    const instance = (port === undefined ? undefined : this.index.byAddress(host, port)) ?? this.index.byIp(host);
    if (instance === undefined) return undefined;
    // A registered port is the sidecar's or the instance's own: only another port is worth passing on.
    const registered = port !== undefined && this.index.byAddress(host, port) !== undefined;
    return port === undefined || registered ? { service: instance.service } : { service: instance.service, port };
  }
}

/** `ip`: the destination address is looked up in the IP index of the registry. */
export const ipResolver: PluginDefinition<'destination-resolver', undefined> = definePlugin({
  kind: 'destination-resolver',
  name: 'ip',
  create: (_config, context) => new IpResolver(context.ipIndex),
});
