import type { Cidr } from './cidr.js';
import type { PortRange, PortSet } from './port-set.js';

/** What is intercepted, and how. All lists are complete: nothing is looked up later. */
export interface InterceptOptions {
  /** How inbound connections come to the sidecar; outbound ones are always redirected. */
  readonly mode: 'redirect' | 'tproxy';
  /** Whether there are rules for IPv6; `auto` when the namespace has IPv6. */
  readonly ipv6: 'auto' | boolean;
  /** Where the sidecar takes inbound connections. */
  readonly inboundPort: number;
  /** Where it takes outbound ones, usually the same. */
  readonly outboundPort: number;
  /** Whose connections are never intercepted: those of the sidecar itself. */
  readonly exempt: { readonly uids: readonly number[]; readonly gids: readonly number[] };
  readonly inbound: InboundOptions;
  readonly outbound: OutboundOptions;
  /** Ports on which Mesher listens itself: nobody is sent to the sidecar who wanted to go there. */
  readonly ownPorts: readonly PortRange[];
  /** Interfaces whose connections are left alone, both ways. */
  readonly excludeInterfaces: readonly string[];
  readonly dns: DnsOptions;
  /** Drop packets that conntrack cannot place, instead of letting the kernel reset a connection that it does not know. */
  readonly dropInvalid: boolean;
  readonly tproxy: { readonly mark: number; readonly table: number };
  /** TPROXY only: rules with which the sidecar may call the application from the address of the caller. */
  readonly keepSource: boolean;
}

export interface InboundOptions {
  readonly ports: PortSet;
  readonly excludePorts: readonly PortRange[];
  /** Networks of callers. */
  readonly cidrs: '*' | readonly Cidr[];
  readonly excludeCidrs: readonly Cidr[];
  /** Share of the connections that is intercepted, 0 to 1. */
  readonly probability: number;
}

export interface OutboundOptions extends InboundOptions {
  /** Ports that are intercepted whatever network they are in (`istio-outbound-ports`). */
  readonly alwaysPorts: readonly PortRange[];
  /** Only connections of these groups (gid) are intercepted. */
  readonly ownerGroups: '*' | readonly number[];
  readonly excludeOwnerGroups: readonly number[];
  /** What of 127.0.0.0/8 is local and left alone. */
  readonly loopback: Cidr;
  /** Connections of the application to its own address other than loopback. */
  readonly ownAddress: 'intercept' | 'direct';
}

export interface DnsOptions {
  /** `servers`: questions to the name servers of resolv.conf; `all`: to any server. */
  readonly capture: 'off' | 'servers' | 'all';
  /** Where the sidecar answers. */
  readonly port: number;
  /** Addresses of the name servers. */
  readonly servers: readonly string[];
}

/** How a command works; nothing of it changes the plan. */
export interface CommandOptions {
  readonly backend: 'auto' | 'iptables' | 'iptables-nft' | 'iptables-legacy' | 'nft';
  /** Apply in the network of the whole machine, too. */
  readonly hostNetwork: boolean;
  /** Path of another network namespace to work in. */
  readonly networkNamespace: string | undefined;
  readonly dryRun: boolean;
  readonly verifyAfter: boolean;
  readonly cleanupOnly: boolean;
  /** Port that `verify` calls. */
  readonly probePort: number;
  readonly probeTimeoutMs: number;
}
