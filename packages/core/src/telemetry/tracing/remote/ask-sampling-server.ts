import { request as requestHttp, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';

/** A strategy for a thousand operations has about a tenth of it. */
const MAX_ANSWER_BYTES = 1_048_576;

/** Asks for what is sampled. @throws Error when there is no answer with 200, or one that is too long */
export async function askSamplingServer(url: URL, service: string, signal: AbortSignal): Promise<string> {
  const asked = new URL(url);
  asked.searchParams.set('service', service);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const options = { signal, agent: false, headers: { accept: 'application/json' } };
    const request: ClientRequest =
      asked.protocol === 'https:' ? requestHttps(asked, options, resolve) : requestHttp(asked, options, resolve);
    request.on('error', (error) => reject(signal.aborted ? (signal.reason as Error) : error)).end();
  });
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of response) {
    pieces.push(piece as Buffer);
    bytes += (piece as Buffer).length;
    if (bytes > MAX_ANSWER_BYTES) throw new Error(`the answer has more than ${MAX_ANSWER_BYTES} bytes`);
  }
  const text = Buffer.concat(pieces).toString();
  if (response.statusCode !== 200) throw new Error(`it answered ${response.statusCode}: ${text.slice(0, 200).trim()}`);
  return text;
}
