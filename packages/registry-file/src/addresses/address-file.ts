import { createHash } from 'node:crypto';
import { makeInstance, type Instance } from '@mesher/core';
import type { AddressLines, LineProblem, WeightedAddress } from './address-lines.js';

/** Bad lines of one file that are named one by one. */
const MAX_REPORTED_LINES = 10;

/** What the tag `protocol` may say; with any other value it is a tag like others, and the address speaks any protocol. */
const PROTOCOLS: ReadonlySet<string> = new Set(['rest', 'http', 'h2c', 'grpc', 'tcp']);

/** What a look at a file found. */
export type AddressFileFinding =
  { readonly kind: 'lines'; readonly lines: AddressLines } | { readonly kind: 'refused'; readonly reason: string };

/**
 * What is believed of one hand-written file. A file with a bad line does not replace a good state, and a file that is empty or
 * gone must stay so for a while before its addresses are dropped: it may be in the middle of being written.
 */
export class AddressFile {
  instances: readonly Instance[] = [];
  /** Changes with the addresses, not with comments or blanks. */
  digest = '';
  problems: readonly string[] = [];
  /** What the content looked like when it was read last; undefined asks for another reading. */
  stamp: string | undefined;
  /** A file can change twice within one tick of the file system's clock, the second time unseen: a change is read twice. */
  readAgain = false;
  #everGood = false;
  /** False until the first reading: then there are no addresses that an empty file could take away. */
  #everRead = false;
  #emptySince: number | undefined;
  #goneSince: number | undefined;
  #confirmAt: number | undefined;

  constructor(
    readonly service: string,
    private readonly confirmEmptyMs: number,
  ) {}

  /** Monotonic time at which another look can confirm that the file is empty or gone; undefined when it is not in doubt. */
  get confirmAt(): number | undefined {
    return this.#confirmAt;
  }

  /**
   * @param now monotonic milliseconds
   * @returns true when the addresses changed
   */
  apply(finding: AddressFileFinding, now: number): boolean {
    this.#goneSince = this.#confirmAt = undefined;
    if (finding.kind === 'refused') {
      this.problems = [`${this.service}: ${finding.reason}${this.#fallback()}`];
      return this.#publishFirst([]);
    }
    const { addresses, errors, notes } = finding.lines;
    this.problems = reportLines(this.service, errors, errors.length > 0 ? this.#fallback() : '').concat(
      reportLines(this.service, notes, ''),
    );
    if (errors.length > 0) {
      this.#emptySince = undefined;
      return this.#everGood ? false : this.#publish(addresses);
    }
    if (addresses.length === 0 && this.instances.length > 0) {
      this.#emptySince ??= now;
      this.#confirmAt = this.#emptySince + this.confirmEmptyMs;
      if (now < this.#confirmAt) return false;
    }
    this.#emptySince = this.#confirmAt = undefined;
    this.#everGood = true;
    return this.#publish(addresses);
  }

  /** The file is not there. @returns true when it has been away for `confirmMs` and is to be forgotten */
  isGone(now: number, confirmMs: number): boolean {
    this.stamp = undefined;
    this.#goneSince ??= now;
    this.#confirmAt = this.#goneSince + confirmMs;
    return now >= this.#confirmAt;
  }

  #fallback(): string {
    return this.#everGood ? '; the last good state of the file stays in use' : '';
  }

  #publishFirst(addresses: readonly WeightedAddress[]): boolean {
    return this.#everRead ? false : this.#publish(addresses);
  }

  #publish(addresses: readonly WeightedAddress[]): boolean {
    const digest = digestOf(addresses);
    const changed = !this.#everRead || digest !== this.digest;
    this.#everRead = true;
    if (!changed) return false;
    this.digest = digest;
    this.instances = addresses.map((address) => addressInstance(this.service, address));
    return true;
  }
}

/** An instance at one address, where any protocol is spoken unless a tag says which. */
function addressInstance(service: string, { host, port, weight, tags }: WeightedAddress): Instance {
  const instanceId = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  const { version, app, protocol = '' } = tags;
  const name = PROTOCOLS.has(protocol) ? protocol : '*';
  return makeInstance({
    service,
    instanceId,
    weight,
    // With the application among them, routing knows that somebody has said so.
    metadata: tags,
    addresses: new Map([[name, { host, port, tls: false }]]),
    ...(version === undefined ? {} : { version }),
    ...(app === undefined ? {} : { app }),
  });
}

function digestOf(addresses: readonly WeightedAddress[]): string {
  const hash = createHash('sha256');
  for (const { host, port, weight, tags } of addresses)
    hash.update(`${host} ${port} ${weight} ${JSON.stringify(tags)}\n`);
  return hash.digest('base64url');
}

function reportLines(service: string, problems: readonly LineProblem[], ending: string): string[] {
  const named = problems.slice(0, MAX_REPORTED_LINES);
  const reports = named.map(({ line, message }) => `${service}:${line}: ${message}${ending}`);
  const more = problems.length - named.length;
  if (more > 0) reports.push(`${service}: ${more} more lines like these`);
  return reports;
}
