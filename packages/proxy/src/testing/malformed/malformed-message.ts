import type { ProxyOptions } from '../../options.js';

/** One request that must not pass, as data. */
export interface MalformedRequest {
  readonly name: string;
  /** What is sent, one char per byte. */
  readonly bytes: string;
  /** Statuses of which one is the answer; none when the bytes are not HTTP and the connection is closed without an answer. */
  readonly statuses: readonly number[];
  /** What is wrong lies behind the head, so a head that came alone may have been forwarded before it shows. */
  readonly inBody?: true;
  /** So many valid requests stand in front; they are forwarded and answered. */
  readonly validBefore?: number;
  readonly options?: Partial<ProxyOptions>;
}

/** A request that would show upstream if one of the messages before it were read in another way than we read it. */
export const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: victim\r\n\r\n';

/** A GET with the request line and the fields given; what follows the head is `rest`. */
export function head(requestLine: string, fields: readonly string[], rest = ''): string {
  return `${requestLine}\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n${rest}`;
}

/** A case that is refused with 400. */
export function bad(name: string, bytes: string, extra: Partial<MalformedRequest> = {}): MalformedRequest {
  return { name, bytes, statuses: [400], ...extra };
}

/** A POST with a Host, the fields given, and a smuggled request behind. */
export function post(
  name: string,
  fields: readonly string[],
  rest = SMUGGLED,
  extra: Partial<MalformedRequest> = {},
): MalformedRequest {
  return bad(name, head('POST /a HTTP/1.1', ['Host: a', ...fields], rest), extra);
}
