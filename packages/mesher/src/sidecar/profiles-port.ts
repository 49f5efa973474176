import { BoundedServer, RequestGuard, guardedRequest, isLoopback } from '@mesher/admin';
import type { Logger, MeshDocument, Ports } from '@mesher/core';
import type { ProfileApi } from '@mesher/profiling';

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
    // On loopback any other name is that of a page of a stranger (DNS rebinding); elsewhere nobody knows the names.
    const guard = isLoopback(host) ? new RequestGuard([]) : undefined;
    this.server = new BoundedServer(
      async (request, response) => {
        const refusal = guard?.check(guardedRequest(request));
        if (refusal !== undefined) {
          request.resume();
          response.writeHead(refusal.status, { 'content-type': refusal.contentType, 'cache-control': 'no-store' });
          response.end(refusal.body);
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
