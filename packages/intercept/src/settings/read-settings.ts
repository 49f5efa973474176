import { isIP } from 'node:net';
import { parseDuration } from '@mesher/core';
import { InterceptError } from '../intercept-error.js';
import { parseCidr, parseCidrs, parseCidrSet } from './cidr.js';
import type { CommandOptions, DnsOptions, InterceptOptions } from './intercept-options.js';
import { hasPort, itemsOf, mergePorts, parsePort, parsePorts, parsePortSet, ValueError } from './port-set.js';
import { gatherSettings, type RawSettings } from './raw-settings.js';
import { ALL_SETTINGS, type SettingName } from './setting-table.js';

export interface ReadSettings {
  readonly options: InterceptOptions;
  readonly command: CommandOptions;
  /** What was said and has no effect. */
  readonly notices: readonly string[];
}

export interface SettingSources {
  /** By the flag of {@link SETTINGS}; aliases are resolved already. */
  readonly flags: ReadonlyMap<string, string | boolean>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Content of /etc/resolv.conf; read only when DNS is captured. */
  readonly resolvConf: () => string;
  /** Ports on which the sidecar listens by its configuration, where that is known. */
  readonly sidecarPorts?: readonly number[];
}

/** Variables with which netramesh's sidecar moves its own ports. */
const PORT_VARIABLES = ['NETRA_PORT', 'NETRA_PPROF_PORT', 'NETRA_PROMETHEUS_PORT'] as const;
const HIGHEST_ID = 4_294_967_294;
const BACKENDS = ['auto', 'iptables', 'iptables-nft', 'iptables-legacy', 'nft'] as const;
/** Longest name of an interface (IFNAMSIZ less its end). */
const INTERFACE_NAME = /^[^\s/"'+]{1,15}$/;
const DNS_PORT = 53;

/**
 * Reads flags and variables into the options of interception.
 * @throws InterceptError INTERCEPT_SETTING with every mistake on a line of its own
 */
export function readSettings({ flags, env, resolvConf, sidecarPorts = [] }: SettingSources): ReadSettings {
  const raw = gatherSettings(flags, env);
  const reader = new SettingReader(raw);
  const notices = [...raw.notices];
  const port = reader.take('port', parsePort);
  const uids = reader.take('uid', parseIds);
  const tunnel = reader.maybe('tunnel-port', parsePorts) ?? [];
  const inboundPort = reader.maybe('inbound-port', parsePort) ?? port;
  const outboundPort = reader.maybe('outbound-port', parsePort) ?? port;
  const dns = readDns(reader, resolvConf);
  const command = readCommand(reader);
  const ownPorts = mergePorts([
    ...reader.take('own-ports', parsePorts),
    ...[inboundPort, outboundPort, ...movedPorts(env, reader), ...sidecarPorts].map((own) => ({
      first: own,
      last: own,
    })),
    ...(dns.capture === 'off' ? [] : [{ first: dns.port, last: dns.port }]),
  ]);
  const options: InterceptOptions = {
    mode: reader.take('mode', parseMode),
    ipv6: reader.take('dual-stack', parseSwitch) ? true : reader.take('ipv6', parseWhen),
    inboundPort,
    outboundPort,
    exempt: { uids, gids: reader.maybe('gid', parseIds) ?? uids },
    inbound: {
      ports: reader.take('inbound-ports', parsePortSet),
      excludePorts: mergePorts([...reader.list('exclude-inbound-ports', parsePorts), ...tunnel]),
      cidrs: reader.take('inbound-cidrs', parseCidrSet),
      excludeCidrs: reader.list('exclude-inbound-cidrs', parseCidrs),
      probability: reader.take('inbound-probability', parseShare),
    },
    outbound: {
      ports: reader.take('outbound-ports', parsePortSet),
      alwaysPorts: reader.list('always-outbound-ports', parsePorts),
      excludePorts: reader.list('exclude-outbound-ports', parsePorts),
      cidrs: reader.take('outbound-cidrs', parseCidrSet),
      excludeCidrs: reader.list('exclude-outbound-cidrs', parseCidrs),
      probability: reader.take('outbound-probability', parseShare),
      ownerGroups: reader.take('owner-groups', (text) => (text === '*' ? '*' : parseIds(text))),
      excludeOwnerGroups: reader.list('exclude-owner-groups', parseIds),
      loopback: reader.take('loopback-cidr', parseLoopback),
      ownAddress: reader.take('own-address', oneOf('intercept', 'direct')),
    },
    ownPorts,
    excludeInterfaces: reader.list('exclude-interfaces', parseInterfaces),
    dns,
    dropInvalid: reader.take('drop-invalid', parseSwitch),
    tproxy: {
      mark: reader.take('tproxy-mark', parseMark),
      table: reader.take('tproxy-table', parseTable),
    },
    keepSource: reader.take('keep-source', parseSwitch),
  };
  if (options.keepSource && options.mode !== 'tproxy') {
    reader.problems.push('--keep-source works with --mode TPROXY only');
  }
  if (uids.length === 0) reader.problems.push('--uid: without the user of the sidecar it would be sent to itself');
  if (dns.capture !== 'off' && hasPort(options.outbound.excludePorts, DNS_PORT)) {
    notices.push('outbound port 53 is excluded, so questions to name servers are left alone');
  }
  if (reader.problems.length > 0) {
    throw new InterceptError('INTERCEPT_SETTING', [...new Set(reader.problems)].join('\n'));
  }
  return { options, command, notices };
}

function readCommand(reader: SettingReader): CommandOptions {
  const native = reader.take('native-nftables', parseSwitch);
  const forced = reader.maybe('force-iptables-binary', parseBinary);
  return {
    backend: native ? 'nft' : (forced ?? reader.take('backend', oneOf(...BACKENDS))),
    hostNetwork: reader.take('host-network', parseSwitch),
    networkNamespace: reader.maybe('network-namespace', (text) => text),
    dryRun: reader.take('dry-run', parseSwitch),
    verifyAfter: reader.take('run-validation', parseSwitch),
    cleanupOnly: reader.take('cleanup-only', parseSwitch),
    probePort: reader.take('probe-port', parsePort),
    probeTimeoutMs: reader.take('probe-timeout', parseTime),
  };
}

function readDns(reader: SettingReader, resolvConf: () => string): DnsOptions {
  const all = reader.take('capture-all-dns', parseSwitch);
  const some = reader.take('redirect-dns', parseSwitch);
  const port = reader.take('dns-port', parsePort);
  const given = reader.maybe('dns-servers', parseAddresses);
  if (all) return { capture: 'all', port, servers: given ?? [] };
  if (!some) return { capture: 'off', port, servers: given ?? [] };
  const servers = given ?? nameServersOf(resolvConf());
  if (servers.length === 0) {
    reader.problems.push('--redirect-dns: resolv.conf names no server; name them with --dns-servers');
  }
  return { capture: 'servers', port, servers };
}

/** Addresses after `nameserver`, without the zone of a link-local one. */
function nameServersOf(resolvConf: string): string[] {
  return [...resolvConf.matchAll(/^\s*nameserver\s+([^\s%#;]+)/gm)]
    .map(([, address = '']) => address)
    .filter((address) => isIP(address) !== 0);
}

function movedPorts(env: SettingSources['env'], reader: SettingReader): number[] {
  return PORT_VARIABLES.flatMap((name) => {
    const text = env[name]?.trim() ?? '';
    const port = text === '' ? undefined : reader.read(name, text, parsePort);
    return port === undefined ? [] : [port];
  });
}

/** Takes values one by one and gathers what is wrong with them. */
class SettingReader {
  readonly problems: string[];
  readonly #raw: RawSettings;

  constructor(raw: RawSettings) {
    this.#raw = raw;
    this.problems = [...raw.problems];
  }

  /** The value or what holds without one. */
  take<T>(name: SettingName, parse: (text: string) => T): T {
    return this.maybe(name, parse) ?? parse(fallbackOf(name));
  }

  list<T>(name: SettingName, parse: (text: string) => readonly T[]): readonly T[] {
    return this.maybe(name, parse) ?? [];
  }

  maybe<T>(name: SettingName, parse: (text: string) => T): T | undefined {
    const value = this.#raw.values.get(name);
    return value === undefined ? undefined : this.read(value.from, value.text, parse);
  }

  read<T>(from: string, text: string, parse: (text: string) => T): T | undefined {
    try {
      return parse(text.trim());
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      this.problems.push(`${from}: ${error.message}`);
      return undefined;
    }
  }
}

function fallbackOf(name: SettingName): string {
  const setting = ALL_SETTINGS.find(({ flag }) => flag === name);
  return setting?.fallback ?? (setting?.value === undefined ? 'false' : '');
}

function parseIds(text: string): readonly number[] {
  return itemsOf(text).map((item) => {
    const id = /^\d{1,10}$/.test(item) ? Number(item) : Number.NaN;
    if (id <= HIGHEST_ID) return id;
    throw new ValueError(`'${item}' is no numeric id; the command id prints that of a name`);
  });
}

function parseShare(text: string): number {
  const share = /^(?:\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : Number.NaN;
  if (share >= 0 && share <= 1) return share;
  throw new ValueError(`'${text}' is no share; write a number from 0 to 1, such as 0.5`);
}

/** Go's ParseBool reads these; netramesh and Istio are written in Go. */
function parseSwitch(text: string): boolean {
  if (/^(?:true|t|1|yes|on)$/i.test(text)) return true;
  if (/^(?:false|f|0|no|off)$/i.test(text)) return false;
  throw new ValueError(`'${text}' is neither true nor false`);
}

function parseWhen(text: string): 'auto' | boolean {
  return text === 'auto' ? 'auto' : parseSwitch(text);
}

function parseMode(text: string): InterceptOptions['mode'] {
  if (/^none$/i.test(text)) {
    throw new ValueError('NONE intercepts nothing; leave the command out, and do not start the sidecar transparent');
  }
  return oneOf('redirect', 'tproxy')(text.toLowerCase());
}

/** Words of istio-iptables and proxy-init. */
function parseBinary(text: string): CommandOptions['backend'] {
  const backends = { nft: 'iptables-nft', legacy: 'iptables-legacy', plain: 'iptables' } as const;
  return backends[oneOf('nft', 'legacy', 'plain')(text)];
}

function parseMark(text: string): number {
  const mark = Number(text);
  if (Number.isInteger(mark) && mark > 0 && mark < 2 ** 32) return mark;
  throw new ValueError(`'${text}' is no mark; write a number from 1 to 4294967295`);
}

function parseTable(text: string): number {
  const table = Number(text);
  // 253 to 255 are default, main and local.
  if (Number.isInteger(table) && table > 0 && table < 2 ** 32 && (table < 253 || table > 255)) return table;
  throw new ValueError(`'${text}' is no routing table; write a number such as 133, but not 253 to 255`);
}

function parseLoopback(text: string): InterceptOptions['outbound']['loopback'] {
  const cidr = parseCidr(text);
  if (cidr.family !== 'ipv4') throw new ValueError(`'${text}' is not of IPv4; ::1 is left alone always`);
  return cidr;
}

function parseInterfaces(text: string): readonly string[] {
  return itemsOf(text).map((name) => {
    if (INTERFACE_NAME.test(name)) return name;
    throw new ValueError(`'${name}' is no name of an interface; ip link lists them`);
  });
}

function parseAddresses(text: string): readonly string[] {
  return itemsOf(text).map((address) => {
    if (isIP(address) !== 0) return address;
    throw new ValueError(`'${address}' is no IP address`);
  });
}

function parseTime(text: string): number {
  const ms = parseDuration(text, 's');
  if (ms !== undefined && ms > 0) return ms;
  throw new ValueError(`'${text}' is no duration; write 5s or 500ms`);
}

function oneOf<T extends string>(...words: readonly T[]): (text: string) => T {
  return (text) => {
    const word = words.find((known) => known === text);
    if (word !== undefined) return word;
    throw new ValueError(`'${text}' is none of ${words.join(', ')}`);
  };
}
