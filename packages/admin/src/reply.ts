/** What a route answers; the server adds the headers that all answers have. */
export interface AdminReply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Codes of answers that are errors; they name the cause in `code` of the JSON body. */
export type AdminErrorCode =
  | 'BAD_REQUEST'
  | 'CROSS_SITE'
  | 'FOREIGN_HOST'
  | 'FORWARDED'
  | 'METHOD_NOT_ALLOWED'
  | 'NOT_FOUND'
  | 'SOURCE_FAILED'
  | 'TOO_LARGE';

/** JSON for people and programs: indented, with a newline at the end. */
export function jsonReply(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): AdminReply {
  return {
    status,
    contentType: 'application/json; charset=utf-8',
    body: `${JSON.stringify(value, undefined, 2)}\n`,
    headers,
  };
}

export function textReply(status: number, text: string): AdminReply {
  return { status, contentType: 'text/plain; charset=utf-8', body: text.endsWith('\n') ? text : `${text}\n` };
}

/**
 * @param message what is wrong with this request
 * @param hint what to do about it
 */
export function errorReply(
  status: number,
  code: AdminErrorCode,
  message: string,
  hint: string,
  more: {
    readonly fields?: Readonly<Record<string, unknown>>;
    readonly headers?: Readonly<Record<string, string>>;
  } = {},
): AdminReply {
  return jsonReply(status, { code, message, hint, ...more.fields }, more.headers);
}
