import { FieldBundle, type Invocation } from '../invocation.js';

/** Header with a JSON object that go-chassis services pass on; the caller's name is one of its members. */
export const CONTEXT_FIELD = 'x-cse-context';
/** The caller's name by itself; also the member of {@link CONTEXT_FIELD} that holds it. */
export const SOURCE_FIELD = 'x-cse-src-microservice';

/** Writes the name of the calling service into outbound requests, as go-chassis and java-chassis providers read it. */
export class CallerMarks {
  readonly #plain: FieldBundle;
  readonly #source: FieldBundle;

  constructor(private readonly service: string) {
    const value = asciiJson({ [SOURCE_FIELD]: service });
    this.#source = new FieldBundle([[SOURCE_FIELD, service]]);
    this.#plain = new FieldBundle([
      [CONTEXT_FIELD, value],
      [SOURCE_FIELD, service],
    ]);
  }

  apply(call: Invocation): void {
    const context = call.header(CONTEXT_FIELD);
    if (call.header(SOURCE_FIELD) !== undefined) call.removeHeader(SOURCE_FIELD);
    if (context === undefined) {
      call.addFields(this.#plain);
      return;
    }
    // Other members belong to the application; what is not an object is replaced.
    call.setHeader(CONTEXT_FIELD, asciiJson({ ...parseObject(context), [SOURCE_FIELD]: this.service }));
    call.addFields(this.#source);
  }
}

/** The caller's name out of the context header; undefined when it is not there or not readable. */
export function sourceOfContext(context: string): string | undefined {
  const source = parseObject(context)[SOURCE_FIELD];
  return typeof source === 'string' && source !== '' ? source : undefined;
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'latin1').toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : {};
  } catch {
    return {};
  }
}

/** JSON with everything beyond ASCII escaped, since field values are bytes without an agreed encoding (RFC 9110, 5.5). */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
