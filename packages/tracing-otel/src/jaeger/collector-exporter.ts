import { Agent as HttpAgent, request as requestHttp, type IncomingMessage, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import type { ExporterSettings, SpanExporter, SpanRecord } from '@mesher/core';
import { MAX_UNANSWERED } from '../exporting/unanswered.js';
import { httpBatch } from './batches.js';

/** As Jaeger's clients call it; collectors know `application/vnd.apache.thrift.binary` as well. */
const CONTENT_TYPE = 'application/x-thrift';
const FIRST_FAILURE = 300;
/** What is shown of an answer that refuses spans. */
const SHOWN_CHARACTERS = 200;

/** Sends spans to a collector of Jaeger: Thrift over HTTP. */
export class CollectorExporter implements SpanExporter {
  readonly #agent: HttpAgent | HttpsAgent;
  readonly #options: RequestOptions;
  #unanswered = 0;

  /** @param url names and passwords in it win over the settings `user` and `password` */
  constructor(
    private readonly url: URL,
    private readonly settings: ExporterSettings,
  ) {
    const user = url.username === '' ? settings.more.get('user') : decodeURIComponent(url.username);
    const password = url.username === '' ? settings.more.get('password') : decodeURIComponent(url.password);
    url.username = url.password = '';
    const pool = { keepAlive: true, maxSockets: MAX_UNANSWERED };
    this.#agent = url.protocol === 'https:' ? new HttpsAgent(pool) : new HttpAgent(pool);
    this.#options = {
      method: 'POST',
      agent: this.#agent,
      ...(user === undefined ? {} : { auth: `${user}:${password ?? ''}` }),
    };
  }

  async export(spans: readonly SpanRecord[]): Promise<void> {
    if (this.#unanswered >= MAX_UNANSWERED) throw new Error('the collector takes spans and does not answer');
    this.#unanswered++;
    const aborting = new AbortController();
    const { timeoutMs, ports } = this.settings;
    const timer = ports.timers.after(timeoutMs, () =>
      aborting.abort(new Error(`the collector did not answer within ${timeoutMs} ms`)),
    );
    try {
      await this.#post(httpBatch(this.settings, spans), aborting.signal);
    } finally {
      timer.cancel();
      this.#unanswered--;
    }
  }

  close(): Promise<void> {
    this.#agent.destroy();
    return Promise.resolve();
  }

  #post(body: Buffer, signal: AbortSignal): Promise<void> {
    const request = this.url.protocol === 'https:' ? requestHttps : requestHttp;
    const headers = { 'content-type': CONTENT_TYPE, 'content-length': body.length };
    return new Promise((resolve, reject) => {
      const failed = (error: Error): void => reject(signal.aborted ? (signal.reason as Error) : error);
      const outgoing = request(this.url, { ...this.#options, headers, signal }, (response) => {
        answerOf(response).then((text) => {
          const { statusCode = 0 } = response;
          if (statusCode < FIRST_FAILURE) resolve();
          else reject(new Error(`the collector answered ${statusCode}: ${text}`));
        }, failed);
      });
      outgoing.on('error', failed);
      outgoing.end(body);
    });
  }
}

async function answerOf(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const piece of response.setEncoding('utf8')) {
    if (text.length < SHOWN_CHARACTERS) text += piece as string;
  }
  return text.slice(0, SHOWN_CHARACTERS).trim();
}
