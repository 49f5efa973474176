import {
  Invocation,
  type CallProtocol,
  type Direction,
  type Field,
  type FieldBundle,
  type SourceIdentity,
} from '@mesher/core';
import type { Environment } from '../../environment.js';
import { FIELD_VALUE, TARGET } from '../../http1/characters.js';
import { invalidField } from '../../http1/head-edits.js';
import type { OutgoingHead } from '../connection/attempt-stream.js';
import type { BlockEdits } from '../hpack/block-edits.js';
import type { HeaderBlock } from '../hpack/header-block.js';
import { HeaderField } from '../hpack/header-field.js';
import { fieldOf } from './block-fields.js';
import { RequestNote } from './request-note.js';

/** What a call needs to know about where it came from. */
export interface CallOrigin {
  readonly direction: Direction;
  readonly remoteAddress: string;
  /** Neither requests nor answers get fields that tell of this hop, or lose any. */
  readonly isTransparent: boolean;
  identify(call: Http2Call): SourceIdentity | undefined;
}

/** Methods that may be sent twice without harm (RFC 9110, 9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/**
 * A request as the header block that it came in. The block is shared by all calls that came with the same one and is never changed;
 * edits stand beside it, and the encoder of the upstream connection applies them.
 */
export class Http2Call extends Invocation implements OutgoingHead {
  readonly protocol: CallProtocol;
  readonly isGrpc: boolean;
  readonly #note: RequestNote;
  #source: SourceIdentity | undefined | null = null;
  #added: HeaderField[] | undefined = undefined;
  #removed: string[] | undefined = undefined;
  #path: string | undefined = undefined;
  #authority: string | undefined = undefined;
  #edits: BlockEdits | undefined = undefined;
  #isStale = false;

  constructor(
    private readonly origin: CallOrigin,
    readonly block: HeaderBlock,
    private readonly env: Environment,
  ) {
    super();
    const note = (this.#note = RequestNote.of(block));
    this.isGrpc = note.isGrpc;
    this.protocol = note.isGrpc ? 'grpc' : 'http';
  }

  get direction(): Direction {
    return this.origin.direction;
  }

  get method(): string {
    return this.#note.summary.method;
  }

  get path(): string {
    return this.#note.summary.path;
  }

  get authority(): string {
    return this.#note.authority;
  }

  get remoteAddress(): string {
    return this.origin.remoteAddress;
  }

  get isTransparent(): boolean {
    return this.origin.isTransparent;
  }

  get source(): SourceIdentity | undefined {
    if (this.#source === null) this.#source = this.origin.identify(this);
    return this.#source;
  }

  get idempotent(): boolean {
    return IDEMPOTENT.has(this.method);
  }

  get isHead(): boolean {
    return this.method === 'HEAD';
  }

  header(name: string): string | undefined {
    // HTTP/2 clients say it in `:authority` (RFC 9113, 8.3.1); rules that look at Host mean it all the same.
    if (name === 'host') return this.authority === '' ? undefined : this.authority;
    return fieldOf(this.block, name);
  }

  override fieldsBeginning(prefix: string): readonly Field[] {
    const found = this.block.fields.filter(({ name }) => name.startsWith(prefix));
    return found.map(({ name, value }) => [name, value]);
  }

  // === edits

  /** @throws MeshError as {@link addHeader} */
  setHeader(name: string, value: string): void {
    this.removeHeader(name);
    this.addHeader(name, value);
  }

  /** @throws MeshError MESH_ERR_INVALID_FIELD when the name is none or belongs to the codec, or when the value cannot be sent */
  addHeader(name: string, value: string): void {
    const lowerCase = this.#editable(name);
    for (let i = 0; i < value.length; i++) {
      if (FIELD_VALUE[value.charCodeAt(i)] !== 1)
        throw invalidField(`${name}: its value`, 'holds a character that cannot be sent');
    }
    if (lowerCase === 'host' && this.authority !== '') {
      this.#authority = value.trim();
      this.#isStale = true;
    } else (this.#added ??= []).push(new HeaderField(lowerCase, value.trim()));
  }

  addFields(bundle: FieldBundle): void {
    const added = (this.#added ??= []);
    for (const field of this.env.bundleFields(bundle)) added.push(field);
  }

  /** @throws MeshError MESH_ERR_INVALID_FIELD when the name is none or belongs to the codec */
  removeHeader(name: string): void {
    // Without a host no request goes upstream: it can be replaced only.
    const lowerCase = this.#editable(name);
    if (this.#added !== undefined) this.#added = this.#added.filter((field) => field.name !== lowerCase);
    if (lowerCase === 'host' || this.#removed?.includes(lowerCase) === true) return;
    if (this.block.first(lowerCase) === undefined) return;
    (this.#removed ??= []).push(lowerCase);
    this.#isStale = true;
  }

  /** @throws MeshError MESH_ERR_INVALID_FIELD when the path is none that can be sent (RFC 9112, 3.2) */
  setPath(path: string): void {
    let isPath = path.startsWith('/');
    for (let i = 0; i < path.length; i++) isPath &&= TARGET[path.charCodeAt(i)] === 1;
    if (!isPath) throw invalidField(`the path ${JSON.stringify(path)}`, 'is none that can be sent');
    this.#path = path;
    this.#isStale = true;
  }

  /** @throws MeshError as {@link addHeader} */
  override addResponseField(name: string, value: string): void {
    this.#editable(name);
    super.addResponseField(name, value);
  }

  // === as it goes upstream

  get edits(): BlockEdits | undefined {
    if (this.#isStale) this.#compile();
    return this.#edits;
  }

  get added(): readonly HeaderField[] | undefined {
    return this.#added;
  }

  /** The head as it is now, for an attempt that must not see later edits. @param authority another one, for copies */
  snapshot(authority?: string): OutgoingHead {
    const { block } = this;
    const added = this.#added?.slice();
    if (authority === undefined) return { block, edits: this.edits, added };
    return { block, edits: this.#editsFor(authority), added };
  }

  #compile(): void {
    this.#isStale = false;
    this.#edits = this.#editsFor(this.#authority);
  }

  #editsFor(authority: string | undefined): BlockEdits {
    const { editSets } = this.env;
    const removed = this.#removed ?? NO_NAMES;
    if (this.#path === undefined && authority === undefined) return editSets.without(removed);
    return editSets.replacing(removed, this.#path, authority, this.#note.summary.authority !== '');
  }

  #editable(name: string): string {
    const field = this.env.fieldName(name.toLowerCase());
    if (field.editProblem !== undefined) throw invalidField(name, field.editProblem);
    return field.lowerCase;
  }
}

const NO_NAMES: readonly string[] = [];
