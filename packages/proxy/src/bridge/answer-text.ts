import { reasonPhrase } from '../http1/local-reply.js';
import { summarize } from '../http2/field-summary.js';
import type { HeaderBlock } from '../http2/hpack/header-block.js';
import { isPseudo } from '../http2/hpack/header-field.js';

/** How the end of an answer's body is found (RFC 9112, 6.3). */
export type AnswerFraming = 'none' | 'length' | 'chunked' | 'close';

/** An answer of HTTP/2 as HTTP/1 has it. */
export interface AnswerText {
  readonly text: string;
  readonly framing: AnswerFraming;
  /** Bytes of the body; -1 when only its end tells. */
  readonly contentLength: number;
}

function statusLine(status: string): string {
  return `HTTP/1.1 ${status} ${reasonPhrase(Number(status))}\r\n`;
}

function fieldLines({ fields }: HeaderBlock, without: string): string {
  let lines = '';
  for (const { name, value } of fields) {
    if (!isPseudo(name) && name !== without) lines += `${name}: ${value}\r\n`;
  }
  return lines;
}

/**
 * The head of a final answer as HTTP/1.1.
 * @param endStream no body follows
 * @param isHead the answer has no body, whatever its fields say
 * @param toHttp10 the client does not know chunks: a body of unknown length ends with the connection
 */
export function renderAnswer(block: HeaderBlock, endStream: boolean, isHead: boolean, toHttp10: boolean): AnswerText {
  const { status, contentLength } = summarize(block);
  const head = statusLine(status) + fieldLines(block, 'content-length');
  const isBodyless = isHead || status === '204' || status === '304';
  if (isBodyless) {
    // What the answer to a GET would have announced; never with 204 (RFC 9110, 8.6).
    const announced = contentLength >= 0 && status !== '204' ? `content-length: ${contentLength}\r\n` : '';
    return { text: `${head}${announced}\r\n`, framing: 'none', contentLength: 0 };
  }
  if (contentLength >= 0 || endStream) {
    const length = Math.max(contentLength, 0);
    return { text: `${head}content-length: ${length}\r\n\r\n`, framing: 'length', contentLength: length };
  }
  return toHttp10
    ? { text: `${head}\r\n`, framing: 'close', contentLength: -1 }
    : { text: `${head}transfer-encoding: chunked\r\n\r\n`, framing: 'chunked', contentLength: -1 };
}

/** An interim answer (1xx). */
export function renderInterim(block: HeaderBlock): string {
  return `${statusLine(summarize(block).status)}${fieldLines(block, 'content-length')}\r\n`;
}

/** The answer to an upgrade request whose extended CONNECT was accepted (RFC 8441, 5; RFC 6455, 4.2.2). */
export function renderSwitch(block: HeaderBlock, protocol: string, accept: string): string {
  const fields = fieldLines(block, 'content-length');
  return (
    `HTTP/1.1 101 ${reasonPhrase(101)}\r\nupgrade: ${protocol}\r\nconnection: Upgrade\r\n` +
    `sec-websocket-accept: ${accept}\r\n${fields}\r\n`
  );
}
