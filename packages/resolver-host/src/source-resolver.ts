import {
  CONTEXT_FIELD,
  SOURCE_FIELD,
  definePlugin,
  sourceOfContext,
  type IpIndex,
  type PeerView,
  type PluginDefinition,
  type SourceIdentity,
  type SourceResolver,
} from '@mesher/core';

/** Callers on the same machine: whatever is registered there, the address tells nobody from the others. */
const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', '::1', '']);

/** First the address of the caller, which is harder to forge, then what its headers say. */
export class AddressThenHeader implements SourceResolver {
  constructor(private readonly index: IpIndex) {}

  identify(peer: PeerView): SourceIdentity | undefined {
    const { remoteAddress } = peer;
    const instance = LOOPBACK.has(remoteAddress) ? undefined : this.index.byIp(remoteAddress);
    if (instance !== undefined) {
      return { service: instance.service, app: instance.app, version: instance.version, by: 'ip' };
    }
    const context = peer.header(CONTEXT_FIELD);
    const name = (context === undefined ? undefined : sourceOfContext(context)) ?? peer.header(SOURCE_FIELD);
    return name === undefined || name === '' ? undefined : { service: name, by: 'header' };
  }
}

/** `default`: IP index of the directory, then the caller's header. */
export const sourceResolver: PluginDefinition<'source-resolver', undefined> = definePlugin({
  kind: 'source-resolver',
  name: 'default',
  create: (_config, context) => new AddressThenHeader(context.ipIndex),
});
