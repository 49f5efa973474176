import { isIP, isIPv4 } from 'node:net';
import { itemsOf, ValueError } from './port-set.js';

export type Family = 'ipv4' | 'ipv6';

/** A network, its host bits cleared and its address in the form that the kernel prints. */
export interface Cidr {
  readonly family: Family;
  readonly address: string;
  readonly length: number;
}

const BITS: Readonly<Record<Family, number>> = { ipv4: 32, ipv6: 128 };

/** `10.0.0.0/8`, `fd00::/8`, or an address for itself alone. @throws ValueError */
export function parseCidr(text: string): Cidr {
  const [address = '', lengthText, ...rest] = text.split('/');
  if (isIP(address) === 0 || address.includes('%') || rest.length > 0) throw mistake(text);
  const family: Family = isIPv4(address) ? 'ipv4' : 'ipv6';
  const bits = BITS[family];
  if (lengthText !== undefined && !/^\d{1,3}$/.test(lengthText)) throw mistake(text);
  const length = lengthText === undefined ? bits : Number(lengthText);
  if (length > bits) throw new ValueError(`'${text}' has more than the ${bits} bits of its family`);
  return { family, length, address: formatAddress(family, clearHost(addressBits(address), bits, length)) };
}

/** Networks separated by commas. @throws ValueError */
export function parseCidrs(text: string): readonly Cidr[] {
  return itemsOf(text).map(parseCidr);
}

/** As {@link parseCidrs}, and `*` for everywhere. @throws ValueError */
export function parseCidrSet(text: string): '*' | readonly Cidr[] {
  const items = itemsOf(text);
  if (!items.includes('*')) return parseCidrs(text);
  if (items.length > 1) throw new ValueError(`'${text}' mixes * with networks; write * alone`);
  return '*';
}

export function formatCidr({ address, length }: Cidr): string {
  return `${address}/${length}`;
}

/** Whether an address of the same family lies in the network. */
export function contains(cidr: Cidr, address: string): boolean {
  const bits = BITS[cidr.family];
  if (isIPv4(address) !== (cidr.family === 'ipv4')) return false;
  return clearHost(addressBits(address), bits, cidr.length) === addressBits(cidr.address);
}

function mistake(text: string): ValueError {
  return new ValueError(`'${text}' is no network; write addresses with a length, such as 10.0.0.0/8 or fd00::/8`);
}

function clearHost(address: bigint, bits: number, length: number): bigint {
  const host = BigInt(bits - length);
  return (address >> host) << host;
}

function addressBits(address: string): bigint {
  if (isIPv4(address)) return address.split('.').reduce((bits, part) => (bits << 8n) | BigInt(part), 0n);
  return groupsOf(address).reduce((bits, group) => (bits << 16n) | BigInt(group), 0n);
}

/** The eight groups of an IPv6 address. */
export function groupsOf(address: string): number[] {
  const halves = withoutDots(address)
    .split('::')
    .map((half) => (half === '' ? [] : half.split(':').map((group) => Number.parseInt(group, 16))));
  const [head = [], tail] = halves;
  if (tail === undefined) return head;
  return [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}

/** `::ffff:1.2.3.4` with its last four bytes as two groups. */
function withoutDots(address: string): string {
  const [, head = '', dotted] = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(address) ?? [];
  if (dotted === undefined) return address;
  const bits = Number(addressBits(dotted));
  return `${head}${Math.floor(bits / 65_536).toString(16)}:${(bits % 65_536).toString(16)}`;
}

function formatAddress(family: Family, bits: bigint): string {
  if (family === 'ipv4') return [24n, 16n, 8n, 0n].map((shift) => (bits >> shift) & 255n).join('.');
  const groups = [112n, 96n, 80n, 64n, 48n, 32n, 16n, 0n].map((shift) => ((bits >> shift) & 65_535n).toString(16));
  // The form of RFC 5952, in which the kernel prints addresses, too; a mapped IPv4 address stays one of IPv6.
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}
