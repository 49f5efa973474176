import type { Timers } from '@mesher/core';
import axios, { AxiosError, type AxiosInstance, type AxiosResponse } from 'axios';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { KieError } from './kie-error.js';
import type { LabelSet } from './label-sets.js';
import { readSettingFile } from './setting-file.js';
import type { KieSettings } from './settings.js';
import type { TlsFiles } from './tls-files.js';

/** The field in which Kie says the revision of the whole domain; it comes with 200 only. */
const REVISION_FIELD = 'x-kie-revision';
/** A revision that Kie never has, so that it answers with what there is. */
export const NO_REVISION = -1;

/** What Kie says about one set of labels. */
export type KieAnswer =
  | { readonly changed: false }
  | { readonly changed: true; readonly revision: number; readonly values: ReadonlyMap<string, string> };

export interface KieQuestion {
  readonly labels: LabelSet;
  /** Of the last answer, or {@link NO_REVISION}. */
  readonly revision: number;
  /** How long Kie may hold the answer back while nothing changes, in milliseconds; 0 to answer at once. */
  readonly waitMs: number;
}

/**
 * Asks one of several Kie servers: `GET /v1/{project}/kie/kv?label=k:v&match=exact&revision=N[&wait=Ns]`, answered with 200 and all
 * values when the domain has another revision, with 304 when not. One connection per question under way is kept open.
 */
export class KieClient {
  readonly #http: AxiosInstance;
  readonly #agents: readonly [HttpAgent, HttpsAgent];
  readonly #bases: readonly string[];
  #current = 0;
  #token: string | undefined;

  /** @throws KieError KIE_SETTING for an address that is no http or https URL */
  constructor(
    addresses: readonly string[],
    private readonly settings: KieSettings,
    tls: TlsFiles,
    private readonly confDir: string,
    private readonly timers: Timers,
  ) {
    this.#bases = addresses.map(baseOf);
    this.#agents = [new HttpAgent({ keepAlive: true }), new HttpsAgent({ keepAlive: true, ...tls })];
    this.#http = axios.create({
      httpAgent: this.#agents[0],
      httpsAgent: this.#agents[1],
      // A proxy or a redirect would hand the token, and the say over all calls, to somebody whom nobody configured.
      proxy: false,
      maxRedirects: 0,
      maxContentLength: settings.maxResponseBytes,
      responseType: 'text',
      transformResponse: (body: string) => body,
      validateStatus: () => true,
    });
  }

  /** The server that is asked at the moment. */
  get address(): string {
    return this.#bases[this.#current] ?? '';
  }

  /** Reads the token again; to be called before the questions of a new attempt. @throws KieError KIE_SETTING */
  async refreshToken(): Promise<void> {
    const { token, tokenFile } = this.settings;
    this.#token =
      tokenFile === undefined ? token : (await readSettingFile('tokenFile', tokenFile, this.confDir)).toString().trim();
  }

  /** From now on asks the next server. */
  useNext(): void {
    this.#current = (this.#current + 1) % this.#bases.length;
  }

  /** @throws KieError when there is no usable answer; whatever the signal's reason is when it aborts */
  async ask(question: KieQuestion, signal: AbortSignal): Promise<KieAnswer> {
    const response = await this.#get(question, signal);
    switch (response.status) {
      case 200:
        return readValues(response, this.address);
      case 304:
        return { changed: false };
      case 404:
        // Older servers say so, in JSON, when no value has the labels. Anything else is a wrong path, and must not look as if all
        // values were deleted.
        if (isJson(response))
          return { changed: true, revision: revisionOf(response) ?? NO_REVISION, values: new Map() };
        throw new KieError('KIE_ANSWER', `${this.address} answered 404: there is no Kie; check serverUri and project`);
      case 401:
      case 403:
        throw new KieError(
          'KIE_DENIED',
          `${this.address} answered ${response.status}: it wants a valid token; set plugin.settings.kie.token or tokenFile`,
        );
      default:
        throw new KieError('KIE_ANSWER', `${this.address} answered ${response.status}${excerpt(response.data)}`);
    }
  }

  close(): void {
    for (const agent of this.#agents) agent.destroy();
  }

  async #get({ labels, revision, waitMs }: KieQuestion, signal: AbortSignal): Promise<AxiosResponse<string>> {
    const limit = waitMs + this.settings.requestTimeout;
    const query = new URLSearchParams({ match: 'exact', revision: String(revision) });
    for (const [label, value] of Object.entries(labels)) query.append('label', `${label}:${value}`);
    if (waitMs > 0) query.set('wait', `${Math.ceil(waitMs / 1000)}s`);
    const own = new AbortController();
    const abort = (): void => own.abort();
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    const timer = this.timers.after(limit, abort);
    try {
      return await this.#http.get<string>(
        `${this.address}/v1/${encodeURIComponent(this.settings.project)}/kie/kv?${query.toString()}`,
        {
          signal: own.signal,
          headers: {
            accept: 'application/json',
            ...(this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }),
          },
        },
      );
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw unreachable(this.address, own.signal.aborted ? `no answer within ${limit} ms` : reasonOf(error));
    } finally {
      timer.cancel();
      signal.removeEventListener('abort', abort);
    }
  }
}

function baseOf(address: string): string {
  const text = address.includes('://') ? address : `http://${address}`;
  try {
    const url = new URL(text);
    if (url.protocol === 'http:' || url.protocol === 'https:')
      return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
  } catch {
    // Said below.
  }
  const shown = address.replace(/\/\/[^/@]*@/, '//***@');
  throw new KieError(
    'KIE_SETTING',
    `servicecomb.config.client.serverUri: '${shown}' is no address like http://kie:30110`,
  );
}

function readValues(response: AxiosResponse<string>, address: string): KieAnswer {
  const revision = revisionOf(response);
  const body = parse(response.data);
  if (revision === undefined || body === undefined) {
    throw new KieError('KIE_ANSWER', `${address} answered 200 with something that is not Kie's; check serverUri`);
  }
  const values = new Map<string, string>();
  for (const entry of body) {
    const { key, value, status } = entry as Readonly<Record<string, unknown>>;
    if (typeof key === 'string' && key !== '' && typeof value === 'string' && status === 'enabled') {
      values.set(key, value);
    }
  }
  return { changed: true, revision, values };
}

function isJson({ headers }: AxiosResponse): boolean {
  return String(headers['content-type'] ?? '').startsWith('application/json');
}

/** The list in `data`, which is null or missing when there is nothing. */
function parse(text: string): readonly object[] | undefined {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body !== 'object' || body === null) return undefined;
    const { data = null } = body as { readonly data?: unknown };
    if (data === null) return [];
    return Array.isArray(data) ? data.filter((entry) => typeof entry === 'object' && entry !== null) : undefined;
  } catch {
    return undefined;
  }
}

function revisionOf({ headers }: AxiosResponse): number | undefined {
  const text: unknown = headers[REVISION_FIELD];
  return typeof text === 'string' && /^-?\d+$/.test(text) ? Number(text) : undefined;
}

/** Characters of a strange answer that the message shows. */
const EXCERPT = 120;

function excerpt(body: unknown): string {
  const text = typeof body === 'string' ? body.replace(/\s+/g, ' ').trim() : '';
  return text === '' ? '' : `: ${text.slice(0, EXCERPT)}`;
}

function reasonOf(error: unknown): string {
  if (error instanceof AxiosError) return error.code ?? error.message;
  return error instanceof Error ? error.message : String(error);
}

function unreachable(address: string, reason: string): KieError {
  return new KieError('KIE_UNREACHABLE', `${address} cannot be asked: ${reason}`);
}
