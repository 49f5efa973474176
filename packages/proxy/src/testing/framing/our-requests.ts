import { silentLogger } from '@mesher/core';
import { fakePorts } from '@mesher/core/testing';
import { Deadlines } from '../../deadlines.js';
import { Environment } from '../../environment.js';
import type { Exchange } from '../../http1/exchange.js';
import { RequestReader, type RequestSink } from '../../http1/request-reader.js';
import type { RequestScanner } from '../../http1/request-scanner.js';
import { DEFAULT_PROXY_OPTIONS } from '../../options.js';
import { ProxyStats } from '../../stats.js';
import { dechunk, fieldsOf, type FramedMessage, type Reading } from './framed-message.js';

interface OpenMessage {
  readonly start: string;
  readonly minorVersion: number;
  readonly fields: [string, string][];
  readonly chunked: boolean;
  readonly last: boolean;
  raw: string;
  complete: boolean;
}

/** Takes the place of a server connection: records each request instead of opening an exchange for it. */
class RecordingSink implements RequestSink {
  exchange: Exchange | undefined;
  isReading = true;
  stopped: string | undefined;
  readonly messages: OpenMessage[] = [];

  openExchange(buffer: Buffer, scan: RequestScanner, bodyEnd: number, requestDone: boolean): void {
    const text = (from: number, to: number): string => buffer.toString('latin1', from, to);
    const message: OpenMessage = {
      start: `${text(scan.start, scan.methodEnd)} ${text(scan.targetStart, scan.targetEnd)}`,
      minorVersion: scan.minorVersion,
      fields: fieldsOf(text(scan.fieldsStart, scan.end - 2)),
      chunked: scan.chunked,
      last:
        scan.close ||
        scan.form === 'authority' ||
        (scan.minorVersion === 0 && !scan.keepAlive) ||
        (scan.connectionUpgrade && scan.upgradeStart !== 0),
      raw: text(scan.end, bodyEnd),
      complete: requestDone,
    };
    this.messages.push(message);
    if (requestDone) this.#ended(message);
    else this.exchange = this.#bodyOf(message) as Exchange;
  }

  refuse(_code: string, message: string): void {
    this.#stop(message);
  }

  breakOff(): void {
    this.#stop('bad body');
  }

  onPartialHead(): void {
    // waits for more
  }

  onExhausted(): void {
    // waits for more
  }

  pause(): void {
    // never too much here
  }

  /** What the reader needs of an exchange. */
  #bodyOf(message: OpenMessage): Pick<Exchange, 'hasAnswered' | 'reply' | 'onRequestBody'> {
    return {
      hasAnswered: false,
      reply: () => this.#stop('bad body'),
      onRequestBody: (piece, done) => {
        message.raw += piece.toString('latin1');
        message.complete = done;
        if (done) this.#ended(message);
      },
    };
  }

  #ended(message: OpenMessage): void {
    this.exchange = undefined;
    if (message.last) this.#stop('close');
  }

  #stop(reason: string): void {
    this.stopped = reason;
    this.isReading = false;
  }
}

/** Reads requests from bytes the way the proxy does, without sockets. */
export class OurRequests {
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
  read(bytes: Buffer, pieceSize = bytes.length): Reading {
    const sink = new RecordingSink();
    const reader = new RequestReader(sink, this.#env);
    for (let i = 0; i < bytes.length && sink.isReading; i += pieceSize) {
      reader.take(Buffer.from(bytes.subarray(i, i + pieceSize)));
    }
    return { messages: sink.messages.map(finish), stopped: sink.stopped };
  }
}

function finish(message: OpenMessage): FramedMessage {
  const { start, minorVersion, fields, complete } = message;
  const { body, trailers } = message.chunked ? dechunk(message.raw) : { body: message.raw, trailers: [] };
  return { start, minorVersion, fields, body, trailers: complete ? trailers : [], complete };
}
