import { silentLogger } from '@mesher/core';
import { fakePorts } from '@mesher/core/testing';
import { Deadlines } from '../../deadlines.js';
import { Environment } from '../../environment.js';
import type { ResponseScanner } from '../../http1/response-scanner.js';
import { DEFAULT_PROXY_OPTIONS } from '../../options.js';
import { ProxyStats } from '../../stats.js';
import { ResponseReader, type ResponseProgress } from '../../upstream/response-reader.js';
import type { UpstreamUser } from '../../upstream/upstream-user.js';
import { dechunk, fieldsOf, type Reading } from './framed-message.js';

/** Takes the place of an upstream connection and its user: records the answer instead of passing it on. */
class RecordingProgress implements ResponseProgress {
  state: 'head' | 'body' | 'over' = 'head';
  stopped: string | undefined;
  minorVersion = 1;
  status = 0;
  fields: [string, string][] = [];
  chunked = false;
  raw = '';
  hasHead = false;
  complete = false;
  readonly user: UpstreamUser;

  constructor(isHead: boolean) {
    this.user = {
      isHead,
      upgrade: undefined,
      dechunk: false,
      onInformational: () => undefined,
      onResponseHead: (scan: ResponseScanner, buffer: Buffer, _start: number, bodyEnd: number, complete: boolean) => {
        this.hasHead = true;
        this.status = scan.status;
        this.minorVersion = scan.minorVersion;
        this.fields = fieldsOf(buffer.toString('latin1', scan.fieldsStart, scan.end - 2));
        this.chunked = scan.chunked && !isHead && scan.status !== 304;
        this.raw = buffer.toString('latin1', scan.end, bodyEnd);
        this.complete = complete;
      },
      onResponseBody: (buffer: Buffer, start: number, end: number) => {
        this.raw += buffer.toString('latin1', start, end);
      },
      onResponseEnd: () => {
        this.complete = true;
      },
    } as unknown as UpstreamUser;
  }

  onHead(complete: boolean): void {
    this.state = complete ? 'over' : 'body';
  }

  onBodyEnd(): void {
    this.state = 'over';
  }

  onSwitched(): void {
    this.onMalformed('status 101 without an upgrade request');
  }

  onMalformed(problem: string): void {
    this.stopped = problem;
    this.state = 'over';
  }
}

/** Reads one answer from bytes the way the proxy does, without sockets. The connection ends behind the bytes. */
export class OurResponses {
  readonly #env: Environment;

  constructor() {
    const ports = fakePorts();
    this.#env = new Environment(
      DEFAULT_PROXY_OPTIONS,
      new Deadlines(ports.clock, ports.timers),
      new ProxyStats(),
      silentLogger(),
      ports.random,
      () => ports.clock.now(),
    );
  }

  /** @param pieceSize bytes per delivery */
  read(bytes: Buffer, isHead: boolean, pieceSize = bytes.length): Reading {
    const record = new RecordingProgress(isHead);
    const reader = new ResponseReader(record, this.#env);
    for (let i = 0; i < bytes.length && record.state !== 'over'; i += pieceSize) {
      const piece = Buffer.from(bytes.subarray(i, i + pieceSize));
      if (record.state === 'head') reader.readHead(record.user, piece, piece.length);
      else reader.readBody(record.user, piece, 0, piece.length);
    }
    if (record.state === 'body' && reader.untilClose) record.complete = true;
    if (!record.hasHead) return { messages: [], stopped: record.stopped };
    const { body, trailers } = record.chunked ? dechunk(record.raw) : { body: record.raw, trailers: [] };
    const { minorVersion, fields, complete } = record;
    const message = {
      start: String(record.status),
      minorVersion,
      fields,
      body,
      trailers: complete ? trailers : [],
      complete,
    };
    return { messages: [message], stopped: record.stopped };
  }
}
