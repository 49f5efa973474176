import type { AnswerView } from '@mesher/core';
import type { FieldName } from './field-lookup.js';
import { findField } from './field-lookup.js';
import type { ResponseScanner } from './response-scanner.js';

const NOTHING = Buffer.alloc(0);

/** The head of an answer where it lies in the bytes that were read. One object for all: it is good only while a handler is being asked. */
export class ScannedAnswer implements AnswerView {
  #buffer: Buffer = NOTHING;

  constructor(
    private readonly scan: ResponseScanner,
    private readonly fieldName: (lowerCase: string) => FieldName,
  ) {}

  get status(): number {
    return this.scan.status;
  }

  header(name: string): string | undefined {
    // A look-up relies on the lines of a head being there: a handler that looks later finds nothing, instead of looking for ever.
    if (this.#buffer === NOTHING) return undefined;
    const { scan } = this;
    const field = this.fieldName(name);
    if ((scan.presence & field.bit) === 0) return undefined;
    return findField(this.#buffer, scan.fieldsStart, scan.end - 2, field);
  }

  /** Shows the head that has just been scanned in `buffer`. */
  of(buffer: Buffer): this {
    this.#buffer = buffer;
    return this;
  }

  /** Lets go of the bytes. */
  release(): void {
    this.#buffer = NOTHING;
  }
}
