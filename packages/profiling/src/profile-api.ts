import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Clock, Logger, Timers } from '@mesher/core';
import { encodeCpuProfile } from './cpu-profile.js';
import { encodeHeapProfile } from './heap-profile.js';
import { indexText } from './index-text.js';
import { takeCpuProfile, takeHeapProfile, type Waiting } from './inspector-profiles.js';
import { BadProfileRequest, kindOf, readProfileRequest, type ProfileRequest } from './profile-request.js';

export interface ProfilingOptions {
  readonly maxDurationMs: number;
  readonly cpuIntervalMs: number;
  readonly heapIntervalBytes: number;
}

export interface ProfilingParts {
  readonly ports: { readonly clock: Clock; readonly timers: Timers };
  readonly logger: Logger;
}

const ROOT = '/debug/pprof/';
const BASE = 'http://localhost';
const US_PER_MS = 1000;
const compress = promisify(gzip);

/** Answers requests for profiles under the paths that Go's programs have, one profile at a time. */
export class ProfileApi {
  #running: AbortController | undefined;
  #isClosed = false;

  constructor(
    private readonly options: ProfilingOptions,
    private readonly parts: ProfilingParts,
  ) {}

  /** True while a profile is being taken: there is no other one in the meantime. */
  get isBusy(): boolean {
    return this.#running !== undefined;
  }

  /** Gives up a profile that is being taken; whoever waits for it gets what there is. */
  close(): void {
    this.#isClosed = true;
    this.#running?.abort();
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.resume();
    if (request.method !== 'GET') {
      response.setHeader('allow', 'GET');
      return sendText(response, 405, 'Profiles are read with GET.');
    }
    const target = request.url ?? '';
    // `//` is a path to HTTP, and the beginning of a host name in a URL.
    if (!URL.canParse(target, BASE)) return sendText(response, 400, 'This is no path.');
    const url = new URL(target, BASE);
    if (url.pathname === '/' || `${url.pathname}/` === ROOT || url.pathname === ROOT) {
      return sendText(response, 200, indexText(this.options.maxDurationMs));
    }
    const name = url.pathname.startsWith(ROOT) ? url.pathname.slice(ROOT.length) : '';
    // As Go writes it: arguments with a zero byte in between.
    if (name === 'cmdline') return sendText(response, 200, [process.execPath, ...process.argv.slice(1)].join('\0'));
    const kind = kindOf(name);
    if (kind === undefined) {
      return sendText(response, 404, `There is no ${url.pathname}.\n\n${indexText(this.options.maxDurationMs)}`);
    }
    const wanted = readProfileRequest(kind, url.searchParams, this.options.maxDurationMs);
    if (wanted instanceof BadProfileRequest) return sendText(response, 400, wanted.message);
    if (this.isBusy) {
      return sendText(response, 409, 'A profile is being taken already: one at a time. Ask again when it is done.');
    }
    if (this.#isClosed) return sendText(response, 503, 'This process is shutting down.');
    await this.#take(wanted, request, response);
  }

  async #take(wanted: ProfileRequest, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { ports, logger } = this.parts;
    // It went while the code for profiles was loaded, and will not say so again.
    if (response.closed) return;
    const running = new AbortController();
    this.#running = running;
    // The client has gone: nobody will read it.
    let isGone = false;
    response.once('close', () => {
      isGone = true;
      running.abort();
    });
    const by = request.socket.remoteAddress;
    logger.info({ profile: wanted.kind, durationMs: wanted.durationMs, by }, 'a profile is being taken');
    try {
      const takenAt = ports.clock.wallTime();
      const body = await this.#profile(wanted, takenAt, () => pause(ports.timers, wanted.durationMs, running.signal));
      if (!isGone) sendFile(response, wanted, body);
    } finally {
      this.#running = undefined;
    }
  }

  async #profile({ kind, format, durationMs }: ProfileRequest, takenAt: number, wait: Waiting): Promise<Buffer> {
    const { cpuIntervalMs, heapIntervalBytes } = this.options;
    if (kind === 'cpu') {
      const intervalUs = Math.round(cpuIntervalMs * US_PER_MS);
      const profile = await takeCpuProfile(intervalUs, wait);
      if (format === 'v8') return Buffer.from(JSON.stringify(profile));
      return await compress(encodeCpuProfile(profile, intervalUs, takenAt));
    }
    const heapKind = kind === 'heap' ? 'inuse' : 'alloc';
    const profile = await takeHeapProfile(heapKind, heapIntervalBytes, wait);
    if (format === 'v8') return Buffer.from(JSON.stringify(profile));
    return await compress(encodeHeapProfile(profile, heapKind, heapIntervalBytes, takenAt, durationMs));
  }
}

/** Waits, but no longer than until the signal. */
function pause(timers: Timers, durationMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = timers.after(durationMs, resolve);
    const stop = (): void => {
      timer.cancel();
      resolve();
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    // With it go tool pprof shows the text of an error.
    'x-go-pprof': '1',
  });
  response.end(text.endsWith('\n') ? text : `${text}\n`);
}

function sendFile(response: ServerResponse, { kind, format }: ProfileRequest, body: Buffer): void {
  const v8Name = kind === 'cpu' ? 'mesher.cpuprofile' : 'mesher.heapprofile';
  const name = format === 'v8' ? v8Name : `mesher-${kind}.pb.gz`;
  response.writeHead(200, {
    'content-type': format === 'v8' ? 'application/json' : 'application/octet-stream',
    'content-length': body.length,
    'content-disposition': `attachment; filename="${name}"`,
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  });
  response.end(body);
}
