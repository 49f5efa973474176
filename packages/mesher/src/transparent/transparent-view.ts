import type { DestinationView, RecentConnectionView, TransparentSources, TransparentView } from '@mesher/admin';
import { MeshError, type Chassis, type HostPort } from '@mesher/core';
import { explainTransparent, type TransparentDecider, type TransparentQuestion } from './transparent-explanation.js';
import type { TransparentOptions } from './transparent-schema.js';
import type { ConnectionRecord } from './watching/connection-record.js';
import type { DestinationRecord } from './watching/destinations.js';
import type { TransparentWatcher } from './watching/transparent-watcher.js';
import { isIP } from 'node:net';

export interface TransparentViewParts {
  readonly options: TransparentOptions;
  readonly watcher: TransparentWatcher;
  readonly decider: TransparentDecider;
  readonly directory: Pick<Chassis['directory'], 'ipIndex' | 'registeredName'>;
}

/** Shows the transparent mode to the admin API. */
export function transparentSources(
  { options, watcher, decider, directory }: TransparentViewParts,
  listener: HostPort,
): TransparentSources {
  const serviceIf = (address: string, port: number, host: string): { service?: string } => {
    const service = directory.ipIndex.byAddress(address, port)?.service ?? directory.registeredName(host);
    return service === undefined ? {} : { service };
  };
  return {
    view: (): TransparentView => ({
      listener: { host: listener.host, port: listener.port },
      runsAs: decider.whoRuns,
      // Lists and nested settings as they are: nothing here is secret.
      settings: options,
      destinations: watcher.destinations.list().map((record) => ({
        ...destinationView(record),
        ...(record.direction === 'inbound' ? {} : serviceIf(record.address, record.port, record.lastHost)),
      })),
    }),
    connections: () => watcher.recent().map((record) => recentView(record, decider)),
    explain: (query) => explainTransparent(readQuestion(query), decider),
  };
}

function destinationView(record: DestinationRecord): DestinationView {
  const { address, connections, direction, lastAt, lastError, lastHost, open, port } = record;
  const { protocols, requestBytes, responseBytes, verdicts } = record;
  return {
    address,
    port,
    direction,
    ...(lastHost === '' ? {} : { host: lastHost }),
    protocols: Object.fromEntries(protocols),
    verdicts: Object.fromEntries(verdicts),
    connections,
    open,
    requestBytes,
    responseBytes,
    lastAt: new Date(lastAt).toISOString(),
    ...(lastError === undefined
      ? {}
      : { lastError: { at: new Date(lastError.at).toISOString(), message: lastError.message } }),
  };
}

function recentView(record: ConnectionRecord, decider: TransparentDecider): RecentConnectionView {
  const { address, at, client, direction, durationMs, end, error, host, port, protocol, verdict } = record;
  return {
    at: new Date(at).toISOString(),
    client,
    address,
    port,
    direction,
    ...(protocol === undefined ? {} : { protocol }),
    ...(host === '' ? {} : { host }),
    ...(verdict === undefined ? {} : { verdict }),
    reason: reasonOf(record, decider),
    requestBytes: record.requestBytes,
    responseBytes: record.responseBytes,
    ...(durationMs === undefined ? {} : { durationMs: Math.round(durationMs * 10) / 10 }),
    end: durationMs === undefined ? 'open' : (end ?? 'closed'),
    ...(error === undefined ? {} : { error }),
  };
}

const TURNED_AWAY: Readonly<Record<string, string>> = {
  loop: 'it was going to the listener, or came from the sidecar itself, and would have come back for ever',
  direct: 'no rule had brought it: a client called the listener',
  gone: 'the client had left before it could be asked where it was going',
  failed: 'nobody could tell where it was going',
};

/** Made when somebody looks: nobody pays for it per connection. What decides may have changed since. */
function reasonOf({ address, host, port, protocol, verdict }: ConnectionRecord, decider: TransparentDecider): string {
  const turnedAway = verdict === undefined ? undefined : TURNED_AWAY[verdict];
  if (turnedAway !== undefined) return turnedAway;
  const speaks = PROTOCOLS.find((known) => known === protocol) ?? 'tcp';
  const { steps } = explainTransparent({ address, port, host, protocol: speaks }, decider);
  const told = steps.filter(({ stage }) => TELLING.has(stage)).map(({ decision }) => decision);
  return told.join('; ');
}

/** The steps that make the difference between one connection and another. */
const TELLING: ReadonlySet<string> = new Set(['instance', 'name', 'own port', 'policy', 'protocol', 'TLS']);

const PROTOCOLS = ['http1', 'http2', 'tls', 'tcp'] as const;

/** @throws MeshError MESH_ERR_EXPLAIN_REQUEST saying what is wrong */
function readQuestion(query: URLSearchParams): TransparentQuestion {
  const address = (query.get('address') ?? '').replace(/^\[(.*)\]$/, '$1');
  const port = Number(query.get('port'));
  const wrong = (message: string): MeshError => new MeshError('MESH_ERR_EXPLAIN_REQUEST', message);
  if (isIP(address) === 0) throw wrong(`address is '${address}', but rules see IP addresses alone, such as 10.0.0.2`);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw wrong(`port is '${query.get('port') ?? ''}', but must be a number from 1 to 65535`);
  const said = query.get('protocol') ?? 'http1';
  const protocol = PROTOCOLS.find((known) => known === said);
  if (protocol === undefined) throw wrong(`protocol is '${said}', but must be one of ${PROTOCOLS.join(', ')}`);
  return { address, port, protocol, host: query.get('host') ?? '' };
}
