import type { FieldBundle, Logger, Random } from '@mesher/core';
import type { Deadlines } from './deadlines.js';
import { FieldName } from './http1/field-lookup.js';
import { Forwarding } from './http1/forwarding.js';
import { RequestScanner } from './http1/request-scanner.js';
import { ResponseScanner } from './http1/response-scanner.js';
import { ScannedAnswer } from './http1/scanned-answer.js';
import { EditSets } from './http2/exchange/edit-sets.js';
import { BufferBudget } from './http2/flow/buffer-budget.js';
import { OutputPool } from './http2/frames/output-pool.js';
import { HeaderField } from './http2/hpack/header-field.js';
import { HuffmanDecoder } from './http2/hpack/huffman.js';
import type { ProxyOptions } from './options.js';
import type { ProxyStats } from './stats.js';
import { OwnDials } from './transparent/own-dials.js';
import { ReadBuffers } from './upstream/read-buffers.js';
import type { EndpointPools } from './upstream/endpoint-pools.js';
import type { StreamPools } from './http2/upstream/stream-pools.js';

/** Field names asked for so far that are kept; policies ask for a handful, so the bound only stops a plugin that makes names up. */
const MAX_FIELD_NAMES = 1000;

/** What all connections of one proxy share. Scans never wait, so one scanner each serves everybody. */
export class Environment {
  readonly requestScanner: RequestScanner;
  readonly responseScanner: ResponseScanner;
  /** What handlers are shown of an answer. */
  readonly answer: ScannedAnswer;
  readonly forwarding: Forwarding;
  readonly readBuffers: ReadBuffers = new ReadBuffers();
  /** Output of all HTTP/2 connections. */
  readonly outputPool: OutputPool = new OutputPool();
  readonly huffman: HuffmanDecoder = new HuffmanDecoder();
  /** What waits here for all HTTP/2 calls. */
  readonly http2Buffered: BufferBudget;
  /** Connections to upstreams, where somebody wants to know them again. */
  readonly ownDials: OwnDials = new OwnDials();
  pools!: EndpointPools;
  streamPools!: StreamPools;
  readonly editSets: EditSets = new EditSets();
  readonly #bundles = new WeakMap<FieldBundle, readonly HeaderField[]>();
  readonly #fieldNames = new Map<string, FieldName>();

  constructor(
    readonly options: ProxyOptions,
    readonly deadlines: Deadlines,
    readonly stats: ProxyStats,
    readonly logger: Logger,
    readonly random: Random,
    /** Monotonic milliseconds. */
    readonly now: () => number,
  ) {
    this.http2Buffered = new BufferBudget(
      () => options.http2.maxBufferedBytes,
      (task) => this.outputPool.beforeFlush(task),
    );
    this.requestScanner = new RequestScanner(options.maxHeaderFields);
    this.responseScanner = new ResponseScanner(options.maxHeaderFields);
    this.answer = new ScannedAnswer(this.responseScanner, (name) => this.fieldName(name));
    this.forwarding = new Forwarding(options.forwarding);
  }

  fieldName(lowerCase: string): FieldName {
    let name = this.#fieldNames.get(lowerCase);
    if (name === undefined) {
      name = new FieldName(lowerCase);
      if (this.#fieldNames.size < MAX_FIELD_NAMES) this.#fieldNames.set(lowerCase, name);
    }
    return name;
  }

  /** False for fields that frame a message or belong to one hop: header edits may not touch them. */
  isEditable(lowerCase: string): boolean {
    return this.fieldName(lowerCase).editProblem === undefined;
  }

  /** The fields of a bundle as HTTP/2 writes them. */
  bundleFields(bundle: FieldBundle): readonly HeaderField[] {
    let fields = this.#bundles.get(bundle);
    if (fields === undefined) {
      fields = bundle.fields.map(([name, value]) => new HeaderField(name.toLowerCase(), value.trim()));
      this.#bundles.set(bundle, fields);
    }
    return fields;
  }
}
