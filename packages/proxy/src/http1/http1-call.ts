import {
  Invocation,
  type CallProtocol,
  type Direction,
  type Field,
  type FieldBundle,
  type SourceIdentity,
} from '@mesher/core';
import { FIELD_VALUE, TARGET, latin1 } from './characters.js';
import { fieldsBeginning } from './field-prefix.js';
import { findField } from './field-lookup.js';
import type { FieldName } from './field-lookup.js';
import { cutRemoved, invalidField } from './head-edits.js';
import type { RequestScanner, TargetForm } from './request-scanner.js';

/** What a call needs to know about the connection it came over. */
export interface PeerConnection {
  readonly remoteAddress: string;
  identify(call: Http1Call): SourceIdentity | undefined;
  /** Prepared field names, since policies ask for the same few again and again. */
  fieldName(lowerCase: string): FieldName;
}

/** Methods that may be sent twice without harm (RFC 9110, 9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/**
 * Heads from this size on, in bytes, remember what was looked up in them. In a usual one to look again is cheaper; but a thousand rules
 * that ask for one field must not read a head of 16 KB a thousand times, because a caller has made it that long.
 */
const LONG_HEAD = 1024;

/** Service names that can stand in a Host field. */
const HOST_NAME = /^[\w.-]+$/;

/**
 * An HTTP/1 request head where it lies in the bytes that were read. Strings are made when somebody asks. The bytes are the
 * call's own, so the view stays good while the call waits.
 */
export class Http1Call extends Invocation {
  readonly protocol: CallProtocol = 'http';
  readonly form: TargetForm;
  readonly minorVersion: number;
  readonly isHead: boolean;
  /** Value of `Upgrade` when the client asks for another protocol on this connection. */
  readonly upgrade: string | undefined;
  /** The head was edited after it was rendered: a further attempt needs it anew. */
  isEdited = false;
  readonly #buffer: Buffer;
  readonly #start: number;
  readonly #methodEnd: number;
  readonly #pathStart: number;
  readonly #pathEnd: number;
  readonly #authorityStart: number;
  readonly #authorityEnd: number;
  readonly #fieldsStart: number;
  readonly #fieldsEnd: number;
  readonly #presence: number;
  #hasHost: boolean;
  #method: string | undefined;
  #path: string | undefined;
  #found: Map<string, string | undefined> | undefined;
  #source: SourceIdentity | undefined | null = null;
  #appended = '';
  #newPath: string | undefined;
  #removed: FieldName[] | undefined;

  constructor(
    readonly direction: Direction,
    private readonly peer: PeerConnection,
    buffer: Buffer,
    scan: RequestScanner,
  ) {
    super();
    this.form = scan.form;
    this.minorVersion = scan.minorVersion;
    this.#buffer = buffer;
    this.#start = scan.start;
    this.#methodEnd = scan.methodEnd;
    this.#pathStart = scan.pathStart;
    this.#pathEnd = scan.targetEnd;
    this.#authorityStart = scan.authorityStart;
    this.#authorityEnd = scan.authorityEnd;
    this.#fieldsStart = scan.fieldsStart;
    this.#fieldsEnd = scan.end - 2;
    this.#presence = scan.presence;
    this.#hasHost = scan.hostStart !== 0;
    // Method names are case-sensitive (RFC 9110, 9.1). Taking another method for HEAD would leave the body of its answer on the
    // upstream connection, as the answer to the next request.
    this.isHead =
      scan.methodEnd - scan.start === 4 &&
      buffer[scan.start] === 72 &&
      buffer[scan.start + 1] === 69 &&
      buffer[scan.start + 2] === 65 &&
      buffer[scan.start + 3] === 68;
    // HTTP/1.0 has no Upgrade (RFC 9110, 7.8).
    this.upgrade =
      scan.connectionUpgrade &&
      scan.minorVersion === 1 &&
      scan.upgradeStart !== 0 &&
      scan.upgradeEnd > scan.upgradeStart
        ? latin1(buffer, scan.upgradeStart, scan.upgradeEnd)
        : undefined;
  }

  get method(): string {
    return (this.#method ??= latin1(this.#buffer, this.#start, this.#methodEnd));
  }

  get path(): string {
    return (this.#path ??= this.#readPath());
  }

  #readPath(): string {
    if (this.#pathStart === this.#pathEnd) {
      if (this.form === 'authority') return '';
      // OPTIONS for a URL without path asks about the server as a whole (RFC 9112, 3.2.4).
      return this.method === 'OPTIONS' ? '*' : '/';
    }
    const path = latin1(this.#buffer, this.#pathStart, this.#pathEnd);
    return path.charCodeAt(0) === 63 ? `/${path}` : path;
  }

  get authority(): string {
    return latin1(this.#buffer, this.#authorityStart, this.#authorityEnd);
  }

  get remoteAddress(): string {
    return this.peer.remoteAddress;
  }

  get source(): SourceIdentity | undefined {
    if (this.#source === null) this.#source = this.peer.identify(this);
    return this.#source;
  }

  get idempotent(): boolean {
    return IDEMPOTENT.has(this.method);
  }

  header(name: string): string | undefined {
    const field = this.peer.fieldName(name);
    if ((this.#presence & field.bit) === 0) return undefined;
    if (this.#fieldsEnd - this.#fieldsStart < LONG_HEAD) return this.#find(field);
    const found = (this.#found ??= new Map<string, string | undefined>());
    if (!found.has(name)) found.set(name, this.#find(field));
    return found.get(name);
  }

  #find(field: FieldName): string | undefined {
    return findField(this.#buffer, this.#fieldsStart, this.#fieldsEnd, field);
  }

  override fieldsBeginning(prefix: string): readonly Field[] {
    return fieldsBeginning(this.#buffer.subarray(this.#fieldsStart, this.#fieldsEnd), prefix);
  }

  /** @throws MeshError as {@link addHeader} */
  setHeader(name: string, value: string): void {
    this.removeHeader(name);
    this.addHeader(name, value);
  }

  /**
   * @throws MeshError MESH_ERR_INVALID_FIELD when the name is none or belongs to the codec, or when the value holds a character that
   * would end the line, or is above 255 and would become one that does when it is written as a byte
   */
  addHeader(name: string, value: string): void {
    const field = this.#editable(name);
    for (let i = 0; i < value.length; i++) {
      if (FIELD_VALUE[value.charCodeAt(i)] !== 1)
        throw invalidField(`${name}: its value`, 'holds a character that cannot be sent');
    }
    if (field.lowerCase === 'host') {
      if (this.#hasHost) this.#remove(field);
      this.#hasHost = true;
    }
    this.#appended += `${name}: ${value}\r\n`;
    this.isEdited = true;
  }

  addFields(bundle: FieldBundle): void {
    this.#appended += bundle.http1;
    this.isEdited = true;
  }

  /** @throws MeshError MESH_ERR_INVALID_FIELD when the name is none or belongs to the codec */
  removeHeader(name: string): void {
    this.#remove(this.#editable(name));
  }

  /** @throws MeshError MESH_ERR_INVALID_FIELD when the path is none that can be sent (RFC 9112, 3.2) */
  setPath(path: string): void {
    let isPath = path.startsWith('/');
    for (let i = 0; i < path.length; i++) isPath &&= TARGET[path.charCodeAt(i)] === 1;
    if (!isPath) throw invalidField(`the path ${JSON.stringify(path)}`, 'is none that can be sent');
    this.#newPath = path;
    this.isEdited = true;
  }

  /** @throws MeshError as {@link addHeader} */
  override addResponseField(name: string, value: string): void {
    this.#editable(name);
    super.addResponseField(name, value);
  }

  #editable(name: string): FieldName {
    const field = this.peer.fieldName(name.toLowerCase());
    if (field.editProblem !== undefined) throw invalidField(name, field.editProblem);
    return field;
  }

  #remove(field: FieldName): void {
    this.isEdited = true;
    if (field.lowerCase === 'host') this.#hasHost = false;
    if (this.#appended !== '') this.#dropAppended(field);
    if ((this.#presence & field.bit) !== 0) (this.#removed ??= []).push(field);
  }

  /**
   * The head as it goes upstream: the fields byte for byte in their order, without those of this hop, then the edits.
   * @param scan has just scanned this very head
   */
  render(scan: RequestScanner): string {
    this.isEdited = false;
    const buffer = this.#buffer;
    let text =
      this.form === 'origin' && this.minorVersion === 1 && this.#newPath === undefined
        ? latin1(buffer, this.#start, this.#fieldsStart)
        : `${this.method} ${this.form === 'authority' ? this.authority : (this.#newPath ?? this.path)} HTTP/1.1\r\n`;
    // A request of HTTP/1.0 may come without Host; as HTTP/1.1 it must not leave without (RFC 9112, 3.2).
    if (!this.#hasHost) text += `Host: ${this.#hostForUpstream()}\r\n`;
    if (this.#removed !== undefined) cutRemoved(scan, buffer, this.#fieldsStart, this.#fieldsEnd, this.#removed);
    const { cuts, cutCount } = scan;
    let from = this.#fieldsStart;
    for (let i = 0; i < cutCount; i += 2) {
      if (cuts[i] > from) text += latin1(buffer, from, cuts[i]);
      from = cuts[i + 1];
    }
    if (from < this.#fieldsEnd) text += latin1(buffer, from, this.#fieldsEnd);
    if (this.upgrade !== undefined) text += `Connection: Upgrade\r\nUpgrade: ${this.upgrade}\r\n`;
    return `${text}${this.#appended}\r\n`;
  }

  /** Bytes of the head as it came. */
  get headBytes(): number {
    return this.#fieldsEnd + 2 - this.#start;
  }

  /**
   * The head byte for byte, with nothing but the edits of fields: for a request that is passed on and not forwarded.
   * @param scan has just scanned this very head
   */
  renderEdited(scan: RequestScanner): string {
    this.isEdited = false;
    const buffer = this.#buffer;
    let text = '';
    let from = this.#start;
    if (this.#removed !== undefined) {
      scan.cutCount = 0;
      cutRemoved(scan, buffer, this.#fieldsStart, this.#fieldsEnd, this.#removed);
      const { cuts, cutCount } = scan;
      for (let i = 0; i < cutCount; i += 2) {
        text += latin1(buffer, from, cuts[i]);
        from = cuts[i + 1];
      }
    }
    return `${text}${latin1(buffer, from, this.#fieldsEnd)}${this.#appended}\r\n`;
  }

  /** Scans the head once more, for a call that had to wait while the scanner served others. */
  rescan(scan: RequestScanner): void {
    scan.scanRequest(this.#buffer, this.#start, this.#fieldsEnd + 2);
  }

  #hostForUpstream(): string {
    if (this.#authorityEnd > this.#authorityStart) return this.authority;
    const service = this.destination?.service;
    return service !== undefined && HOST_NAME.test(service) ? service : '';
  }

  #dropAppended(field: FieldName): void {
    const prefix = `${field.lowerCase}:`;
    this.#appended = this.#appended
      .split('\r\n')
      .filter((line) => line !== '' && !line.toLowerCase().startsWith(prefix))
      .map((line) => `${line}\r\n`)
      .join('');
  }
}
