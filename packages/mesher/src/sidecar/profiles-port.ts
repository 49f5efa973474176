import { BoundedServer } from '@mesher/admin';
import type { Logger, MeshDocument, Ports } from '@mesher/core';
import type { ProfileApi } from '@mesher/profiling';
import { LoopbackGuard } from './loopback-guard.js';

/** Beyond the longest profile: its client gets nothing until it is done, and then has to read it. */
const READING_MS = 30_000;
/** One takes a profile, others are told so. */
const MAX_CONNECTIONS = 8;

/** A port for profiles. What takes them is loaded with the first request. */
export class ProfilesPort {
  readonly server: BoundedServer;
  #loading: Promise<ProfileApi> | undefined;
  #api: ProfileApi | undefined;

  constructor(
    private readonly pprof: MeshDocument['pprof'],
    private readonly ports: Ports,
    private readonly logger: Logger,
  ) {
    const { host, port } = pprof.listen;
    const guard = new LoopbackGuard(host);
    this.server = new BoundedServer(
      async (request, response) => {
        const refusal = guard.check(request);
        if (refusal !== undefined) {
          request.resume();
          // With X-Go-Pprof go tool pprof shows the text.
          response.writeHead(refusal.status, { 'content-type': 'text/plain; charset=utf-8', 'x-go-pprof': '1' });
          response.end(refusal.text);
          return;
        }
        this.#loading ??= this.#load();
        await (await this.#loading).answer(request, response);
      },
      {
        name: 'the port for profiles (pprof.listen)',
        host,
        port,
        limits: { socketIdleMs: pprof.maxDuration + READING_MS, maxConnections: MAX_CONNECTIONS },
      },
      ports.timers,
      logger,
    );
  }

  /** Gives up a profile that is being taken, and closes. */
  close(): Promise<void> {
    this.#api?.close();
    return this.server.close();
  }

  async #load(): Promise<ProfileApi> {
    const { cpuInterval, heapInterval, maxDuration } = this.pprof;
    const { ProfileApi: Api } = await import('@mesher/profiling');
    this.#api = new Api(
      { cpuIntervalMs: cpuInterval, heapIntervalBytes: heapInterval, maxDurationMs: maxDuration },
      { ports: this.ports, logger: this.logger },
    );
    return this.#api;
  }
}
