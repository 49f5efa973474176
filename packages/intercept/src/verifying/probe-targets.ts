import { ownersOf } from '../planning/plan-outbound.js';
import { contains, formatCidr, parseCidr, type Cidr, type Family } from '../settings/cidr.js';
import type { InboundOptions, InterceptOptions } from '../settings/intercept-options.js';
import { hasPort } from '../settings/port-set.js';

/** Where a probe goes; nobody is there, so whoever accepts was brought in by the rules. */
export interface ProbeTarget {
  readonly address: string;
  readonly port: number;
}

/** Addresses for documentation, which no host on the Internet has (RFC 5737, RFC 3849). */
const NOBODY: Readonly<Record<Family, readonly string[]>> = {
  ipv4: ['192.0.2.1', '198.51.100.1', '203.0.113.1'],
  ipv6: ['2001:db8::1', '2001:db8:ffff::1'],
};

/** A place that outbound connections to are intercepted; a sentence saying why when there is none to be found. */
export function outboundTarget(family: Family, options: InterceptOptions, probePort: number): ProbeTarget | string {
  const { outbound } = options;
  const port = probePortIn(outbound, probePort) ?? outbound.alwaysPorts[0]?.first;
  if (port === undefined) return 'no port is intercepted';
  const candidates = outbound.cidrs === '*' ? NOBODY[family] : outbound.cidrs.map(({ address }) => address);
  const address = candidates.find((candidate) => isOf(family, candidate) && !isExcluded(outbound, candidate));
  return address === undefined ? `no network of ${family} is intercepted` : { address, port };
}

/** The port for a probe from outside to `here`, or why there can be none. */
export function inboundPort(options: InterceptOptions, source: string, probePort: number): number | string {
  const { inbound } = options;
  if (isExcluded(inbound, source)) return `callers at ${source} are left alone`;
  const isIncluded = inbound.cidrs === '*' || inbound.cidrs.some((cidr) => contains(cidr, source));
  if (!isIncluded) return `only callers in ${formatList(inbound.cidrs)} are intercepted`;
  return (
    probePortIn({ ...inbound, excludePorts: [...inbound.excludePorts, ...options.ownPorts] }, probePort) ??
    'no port is intercepted'
  );
}

/** Why connections of this process are not intercepted; undefined when they are. */
export function exemption(options: InterceptOptions, uid: number, gid: number): string | undefined {
  const owner = ownersOf(options.exempt).find(({ kind, id }) => id === (kind === 'uid' ? uid : gid));
  if (owner !== undefined) return `this process has the ${owner.kind} ${owner.id} of the sidecar`;
  const { ownerGroups, excludeOwnerGroups } = options.outbound;
  const isTaken = (ownerGroups === '*' || ownerGroups.includes(gid)) && !excludeOwnerGroups.includes(gid);
  return isTaken ? undefined : `the group ${gid} of this process is left alone`;
}

function probePortIn(
  { ports, excludePorts }: Pick<InboundOptions, 'ports' | 'excludePorts'>,
  wanted: number,
): number | undefined {
  const isTaken = (port: number): boolean => hasPort(ports, port) && !hasPort(excludePorts, port);
  if (isTaken(wanted)) return wanted;
  const candidates = ports === '*' ? [wanted + 1, wanted + 2] : ports.flatMap(({ first, last }) => [first, last]);
  return candidates.find(isTaken);
}

function isExcluded({ excludeCidrs }: Pick<InboundOptions, 'excludeCidrs'>, address: string): boolean {
  return excludeCidrs.some((cidr) => contains(cidr, address));
}

function isOf(family: Family, address: string): boolean {
  return parseCidr(address).family === family;
}

function formatList(cidrs: '*' | readonly Cidr[]): string {
  return cidrs === '*' ? '*' : cidrs.map(formatCidr).join(', ');
}
