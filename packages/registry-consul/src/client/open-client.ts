import { LiveTls, type PluginContext, type RegistryClient } from '@mesher/core';
import { DEFAULT_ADDRESS, readAddress } from './addresses.js';
import { Agents } from './agents.js';
import { Calls } from './calls.js';
import type { ConnectionOptions } from './connection-options.js';
import { ConsulClient } from './consul-client.js';
import { ConsulError, messageOf } from './consul-error.js';
import { readConsulTls } from './consul-tls.js';
import { TokenSource } from './token-source.js';

export interface ClientSources {
  /** What says how a client goes on asking is a matter of who asks. */
  readonly options: Omit<
    ConnectionOptions,
    'wait' | 'minInterval' | 'minRetryDelay' | 'maxRetryDelay' | 'reconnectSpread' | 'readRate'
  >;
  /** When `options` names none. */
  readonly addresses: readonly string[];
  /** `ssl.*`, below the settings of `options`; left out by those who have no such section. */
  readonly ssl?: RegistryClient['ssl'];
  /** Most answers that Consul holds back at the same time. */
  readonly maxHeld: number;
}

/**
 * A client as the settings say. Nothing is asked yet.
 * @throws ConsulError CONSUL_SETTING for addresses, TLS files or a token file that cannot be used
 */
export async function openClient(
  { options, addresses, ssl, maxHeld }: ClientSources,
  { ports, confDir, logger }: Pick<PluginContext, 'ports' | 'confDir' | 'logger'>,
): Promise<ConsulClient> {
  const configured = options.address ?? (addresses.length > 0 ? addresses : [DEFAULT_ADDRESS]);
  const agents = configured.map((text) => readAddress(text, options.ssl));
  const tls = agents.some(({ isTls }) => isTls) ? await openTls({ options, ssl }, confDir) : undefined;
  tls?.follow(ports, options.tlsReload, logger);
  const token = new TokenSource(options.token, options.tokenFile, confDir);
  await token.refresh();
  const calls = new Calls(new Agents(agents, tls, maxHeld), token, ports.timers, {
    namespace: options.namespace,
    partition: options.partition,
    httpAuth: options.httpAuth,
    timeoutMs: options.requestTimeout,
    maxBytes: options.maxResponseBytes,
  });
  return new ConsulClient(calls, { datacenter: options.datacenter, consistency: options.consistency, tls });
}

/** Certificates may make no sense together though each of them can be read. */
async function openTls(sources: Pick<ClientSources, 'options' | 'ssl'>, confDir: string): Promise<LiveTls> {
  try {
    return await LiveTls.open(() => readConsulTls(sources.options, sources.ssl, confDir));
  } catch (error) {
    if (error instanceof ConsulError) throw error;
    throw new ConsulError('CONSUL_SETTING', `the TLS files for Consul cannot be used: ${messageOf(error)}`);
  }
}
