import { parseCidr, type Cidr } from '../settings/cidr.js';
import type { InterceptOptions } from '../settings/intercept-options.js';
import { hasPort } from '../settings/port-set.js';
import { ChainWriter } from './chain-writer.js';
import type { ChainName, Family, Match, Rule } from './plan.js';
import { exemptSidecar, ownersOf } from './plan-outbound.js';

const DNS: ChainName = 'MESHER_DNS';
const ZONES_OUT: ChainName = 'MESHER_DNS_ZONES';
const ZONES_IN: ChainName = 'MESHER_DNS_ANSWERS';
const DNS_PORT = 53;
const PORTS = [{ first: DNS_PORT, last: DNS_PORT }];
/**
 * Conntrack zones: between sidecar and name server, and between application and sidecar. In one zone both would use the same pair of
 * addresses at times, and one of the answers would go astray.
 */
const SERVER_ZONE = 1;
const APPLICATION_ZONE = 2;

/** Questions of the application to name servers, over UDP and TCP. */
export function planDns(family: Family, options: InterceptOptions): readonly Rule[] {
  const { dns, outbound } = options;
  if (dns.capture === 'off' || hasPort(outbound.excludePorts, DNS_PORT)) return [];
  const servers = serversOf(family, options);
  if (servers.length === 0) return [];
  return [...planZones(family, options, servers), ...planQuestions(family, options, servers)];
}

function serversOf(family: Family, { dns }: InterceptOptions): readonly (Cidr | undefined)[] {
  if (dns.capture === 'all') return [undefined];
  return dns.servers.map((address) => parseCidr(address)).filter((server) => server.family === family);
}

function planQuestions(
  family: Family,
  options: InterceptOptions,
  servers: readonly (Cidr | undefined)[],
): readonly Rule[] {
  const entry = new ChainWriter(family, 'nat', 'OUTPUT');
  const chain = new ChainWriter(family, 'nat', DNS);
  exemptSidecar(chain, options);
  for (const outInterface of options.excludeInterfaces) {
    chain.add('excluded-interface', { outInterface }, { kind: 'return' });
  }
  for (const protocol of ['udp', 'tcp'] as const) {
    entry.add('dns', { protocol, ports: PORTS }, { kind: 'jump', chain: DNS });
    for (const destination of servers) {
      const match: Match = { protocol, ports: PORTS, ...(destination === undefined ? {} : { destination }) };
      chain.add('dns-to-sidecar', match, { kind: 'redirect', port: options.dns.port });
    }
  }
  return [...entry.rules, ...chain.rules];
}

/** The first zone that a packet is given stays, so the packets of the sidecar come first. */
function planZones(family: Family, options: InterceptOptions, servers: readonly (Cidr | undefined)[]): readonly Rule[] {
  const out = new ChainWriter(family, 'raw', ZONES_OUT);
  const back = new ChainWriter(family, 'raw', ZONES_IN);
  const toServer = { kind: 'conntrack-zone', zone: SERVER_ZONE } as const;
  const toApplication = { kind: 'conntrack-zone', zone: APPLICATION_ZONE } as const;
  for (const owner of ownersOf(options.exempt)) {
    out.add('sidecar-asks', { protocol: 'udp', ports: PORTS, owners: [owner] }, toServer);
    out.add('sidecar-answers', { protocol: 'udp', sourcePort: options.dns.port, owners: [owner] }, toApplication);
    out.add(`own-${owner.kind}`, { owners: [owner] }, { kind: 'return' });
  }
  for (const server of servers) {
    const to: Match = server === undefined ? {} : { destination: server };
    const from: Match = server === undefined ? {} : { source: server };
    out.add('application-asks', { protocol: 'udp', ports: PORTS, ...to }, toApplication);
    back.add('server-answers', { protocol: 'udp', sourcePort: DNS_PORT, ...from }, toServer);
  }
  const entries = [
    ...new ChainWriter(family, 'raw', 'OUTPUT').add('dns', { protocol: 'udp' }, { kind: 'jump', chain: ZONES_OUT })
      .rules,
    ...new ChainWriter(family, 'raw', 'PREROUTING').add('dns', { protocol: 'udp' }, { kind: 'jump', chain: ZONES_IN })
      .rules,
  ];
  return [...entries, ...out.rules, ...back.rules];
}
