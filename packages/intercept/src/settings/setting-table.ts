/** One thing that can be set, and all the names that it has. */
export interface Setting {
  /** The flag without its dashes; also the variable `MESHER_INTERCEPT_<FLAG>`. */
  readonly flag: string;
  /** What its value looks like; undefined for a switch. */
  readonly value?: string;
  readonly doc: string;
  /** What holds when nothing is said, as it would be written. */
  readonly fallback?: string;
  /** Variables of netramesh and Istio that mean the same, beside that of Mesher. */
  readonly env?: readonly string[];
  /** The same flag in istio-iptables (with its letter) and linkerd's proxy-init. */
  readonly aliases?: readonly string[];
}

/** Ports of Mesher and netramesh: HTTP, admin, gRPC, transparent, profiles, metrics. */
export const OWN_PORTS = '30101,30102,40101,14956,14957,14958';

/**
 * All settings. Names of netramesh are those of its init container; those of Istio come from istio-iptables, where the variable of a
 * flag `a-b` is `A_B`.
 */
export const SETTINGS = [
  {
    flag: 'port',
    value: '<port>',
    doc: 'port of the transparent listener, both ways',
    fallback: '14956',
    env: ['NETRA_SIDECAR_PORT'],
  },
  {
    flag: 'outbound-port',
    value: '<port>',
    doc: 'port that outbound connections are sent to, when it is another one',
    aliases: ['-p, --envoy-port', '--outgoing-proxy-port'],
  },
  {
    flag: 'inbound-port',
    value: '<port>',
    doc: 'port that inbound connections are sent to, when it is another one',
    env: ['INBOUND_CAPTURE_PORT'],
    aliases: ['-z, --inbound-capture-port', '--incoming-proxy-port'],
  },
  {
    flag: 'uid',
    value: '<ids>',
    doc: 'user ids of the sidecar, whose connections are left alone',
    fallback: '1337',
    env: ['NETRA_SIDECAR_USER_ID', 'PROXY_UID'],
    aliases: ['-u, --proxy-uid'],
  },
  {
    flag: 'gid',
    value: '<ids>',
    doc: 'group ids of the sidecar; those of --uid when left out',
    env: ['NETRA_SIDECAR_GROUP_ID', 'PROXY_GID'],
    aliases: ['-g, --proxy-gid'],
  },
  {
    flag: 'mode',
    value: '<mode>',
    doc: 'how inbound connections come: REDIRECT, or TPROXY, which keeps both addresses',
    fallback: 'REDIRECT',
    env: ['ISTIO_INBOUND_INTERCEPTION_MODE'],
    aliases: ['-m, --istio-inbound-interception-mode'],
  },
  {
    flag: 'inbound-ports',
    value: '<ports>',
    doc: 'ports of the application that are intercepted: a list with ranges, or *',
    fallback: '*',
    env: ['INBOUND_INTERCEPT_PORTS', 'ISTIO_INBOUND_PORTS'],
    aliases: ['-b, --istio-inbound-ports', '--ports-to-redirect'],
  },
  {
    flag: 'exclude-inbound-ports',
    value: '<ports>',
    doc: 'ports of the application that are left alone',
    env: ['ISTIO_LOCAL_EXCLUDE_PORTS'],
    aliases: ['-d, --istio-local-exclude-ports', '--inbound-ports-to-ignore'],
  },
  {
    flag: 'inbound-cidrs',
    value: '<networks>',
    doc: 'networks of callers that are intercepted',
    fallback: '*',
  },
  {
    flag: 'exclude-inbound-cidrs',
    value: '<networks>',
    doc: 'networks of callers that are left alone',
    aliases: ['--subnets-to-ignore'],
  },
  {
    flag: 'inbound-probability',
    value: '<share>',
    doc: 'share of the inbound connections that is intercepted, 0 to 1',
    fallback: '1',
    env: ['NETRA_INBOUND_PROBABILITY'],
  },
  {
    flag: 'outbound-ports',
    value: '<ports>',
    doc: 'ports of others that are intercepted: a list with ranges, or *',
    fallback: '*',
    env: ['OUTBOUND_INTERCEPT_PORTS'],
  },
  {
    flag: 'always-outbound-ports',
    value: '<ports>',
    doc: 'ports of others that are intercepted whatever their network',
    env: ['ISTIO_OUTBOUND_PORTS'],
    aliases: ['-q, --istio-outbound-ports'],
  },
  {
    flag: 'exclude-outbound-ports',
    value: '<ports>',
    doc: 'ports of others that are left alone',
    env: ['ISTIO_LOCAL_OUTBOUND_PORTS_EXCLUDE'],
    aliases: ['-o, --istio-local-outbound-ports-exclude', '--outbound-ports-to-ignore'],
  },
  {
    flag: 'outbound-cidrs',
    value: '<networks>',
    doc: 'networks of others that are intercepted',
    fallback: '*',
    env: ['ISTIO_SERVICE_CIDR'],
    aliases: ['-i, --istio-service-cidr'],
  },
  {
    flag: 'exclude-outbound-cidrs',
    value: '<networks>',
    doc: 'networks of others that are left alone',
    env: ['ISTIO_SERVICE_EXCLUDE_CIDR'],
    aliases: ['-x, --istio-service-exclude-cidr'],
  },
  {
    flag: 'outbound-probability',
    value: '<share>',
    doc: 'share of the outbound connections that is intercepted, 0 to 1',
    fallback: '1',
    env: ['NETRA_OUTBOUND_PROBABILITY'],
  },
  {
    flag: 'owner-groups',
    value: '<ids>',
    doc: 'only connections of these group ids are intercepted',
    fallback: '*',
    env: ['ISTIO_OUTBOUND_OWNER_GROUPS'],
  },
  {
    flag: 'exclude-owner-groups',
    value: '<ids>',
    doc: 'connections of these group ids are left alone',
    env: ['ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE'],
  },
  {
    flag: 'own-address',
    value: '<what>',
    doc: 'connections of the application to its own address other than loopback: intercept or direct',
    fallback: 'intercept',
  },
  {
    flag: 'loopback-cidr',
    value: '<network>',
    doc: 'destinations that are local and left alone, for IPv4',
    fallback: '127.0.0.0/8',
    env: ['ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR'],
  },
  {
    flag: 'exclude-interfaces',
    value: '<names>',
    doc: 'network interfaces that are left alone, both ways',
    env: ['ISTIO_EXCLUDE_INTERFACES'],
    aliases: ['-c, --istio-exclude-interfaces'],
  },
  {
    flag: 'own-ports',
    value: '<ports>',
    doc: 'ports that Mesher itself listens on, left alone beside the two it is sent connections on',
    fallback: OWN_PORTS,
  },
  {
    flag: 'tunnel-port',
    value: '<port>',
    doc: 'one more inbound port that is left alone',
    env: ['INBOUND_TUNNEL_PORT'],
    aliases: ['-e, --inbound-tunnel-port'],
  },
  {
    flag: 'ipv6',
    value: '<when>',
    doc: 'rules for IPv6, too: true, false, or auto when the namespace has an address of it',
    fallback: 'auto',
  },
  {
    flag: 'dual-stack',
    doc: 'the same as --ipv6 true',
    env: ['DUAL_STACK', 'ISTIO_DUAL_STACK'],
  },
  {
    flag: 'redirect-dns',
    doc: 'send questions to the name servers of resolv.conf to --dns-port',
    env: ['REDIRECT_DNS', 'ISTIO_META_DNS_CAPTURE'],
  },
  {
    flag: 'capture-all-dns',
    doc: 'send questions to any name server to --dns-port',
    env: ['CAPTURE_ALL_DNS'],
  },
  { flag: 'dns-port', value: '<port>', doc: 'where the sidecar answers questions', fallback: '15053' },
  { flag: 'dns-servers', value: '<addresses>', doc: 'name servers; those of /etc/resolv.conf when left out' },
  {
    flag: 'drop-invalid',
    doc: 'drop packets that belong to no connection, before the kernel answers them with a reset',
    env: ['DROP_INVALID', 'INVALID_DROP'],
  },
  {
    flag: 'tproxy-mark',
    value: '<number>',
    doc: 'TPROXY: mark of packets that are for the sidecar',
    fallback: '1337',
    env: ['ISTIO_INBOUND_TPROXY_MARK'],
    aliases: ['-t, --istio-inbound-tproxy-mark'],
  },
  {
    flag: 'tproxy-table',
    value: '<number>',
    doc: 'TPROXY: routing table of these packets',
    fallback: '133',
    env: ['ISTIO_INBOUND_TPROXY_ROUTE_TABLE'],
    aliases: ['-r, --istio-inbound-tproxy-route-table'],
  },
  { flag: 'keep-source', doc: 'TPROXY: rules for calling the application from the address of its caller' },
  {
    flag: 'backend',
    value: '<which>',
    doc: 'iptables, iptables-nft, iptables-legacy, nft, or auto: where there are rules, or else what is installed',
    fallback: 'auto',
  },
  {
    flag: 'force-iptables-binary',
    value: '<which>',
    doc: 'nft, legacy or plain: the same as --backend iptables-nft, iptables-legacy or iptables',
    env: ['FORCE_IPTABLES_BINARY'],
    aliases: ['--iptables-mode'],
  },
  { flag: 'native-nftables', doc: 'the same as --backend nft', env: ['NATIVE_NFTABLES'] },
  { flag: 'host-network', doc: 'apply in the network of the whole machine, too' },
  {
    flag: 'network-namespace',
    value: '<path>',
    doc: 'work in this network namespace, such as /proc/1234/ns/net',
    env: ['NETWORK_NAMESPACE'],
    aliases: ['--netns'],
  },
  {
    flag: 'dry-run',
    doc: 'apply, cleanup: print what would be done, and do nothing',
    env: ['DRY_RUN', 'SKIP_RULE_APPLY'],
    aliases: ['-n', '--skip-rule-apply', '--simulate'],
  },
  { flag: 'run-validation', doc: 'apply: verify afterwards', env: ['RUN_VALIDATION'] },
  { flag: 'cleanup-only', doc: 'apply: remove instead', env: ['CLEANUP_ONLY'] },
  {
    flag: 'probe-port',
    value: '<port>',
    doc: 'verify: port that is called',
    fallback: '15002',
    env: ['IPTABLES_PROBE_PORT'],
    aliases: ['--iptables-probe-port'],
  },
  {
    flag: 'probe-timeout',
    value: '<duration>',
    doc: 'verify: how long a connection may take',
    fallback: '5s',
    env: ['PROBE_TIMEOUT'],
  },
] as const satisfies readonly Setting[];

export type SettingName = (typeof SETTINGS)[number]['flag'];

/** The same table for those who walk over it. */
export const ALL_SETTINGS: readonly (Setting & { readonly flag: SettingName })[] = SETTINGS;

/** Known words that Mesher has no part for. Those that would leave traffic alone are refused, the others told. */
export const UNSUPPORTED = [
  {
    flags: ['-k, --kube-virt-interfaces'],
    env: 'KUBE_VIRT_INTERFACES',
    refused: true,
    why: 'connections of virtual machines are not intercepted; leave it out',
  },
  {
    flags: ['--cni-mode'],
    env: 'CNI_MODE',
    refused: false,
    why: 'it changes nothing; --network-namespace says where to work',
  },
  { flags: ['--force-apply'], env: 'FORCE_APPLY', refused: false, why: 'rules are compared and put right always' },
  { flags: ['--reconcile'], env: 'RECONCILE', refused: false, why: 'rules are compared and put right always' },
  {
    flags: ['--timeout-close-wait-secs'],
    env: 'TIMEOUT_CLOSE_WAIT_SECS',
    refused: false,
    why: 'set the sysctl net.netfilter.nf_conntrack_tcp_timeout_close_wait where it is wanted',
  },
] as const;

/** The variable of Mesher itself for a flag. */
export function ownVariable(flag: string): string {
  return `MESHER_INTERCEPT_${flag.toUpperCase().replaceAll('-', '_')}`;
}
