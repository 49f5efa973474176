import type { IncomingMessage, ServerResponse } from 'node:http';
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { setTimeout as pause } from 'node:timers/promises';
import {
  AnswerScript,
  LOCAL_APP,
  type InstanceAnswer,
  type InstanceSpec,
  type ReceivedRequest,
  type ServiceInstances,
} from '@mesher/core/testing';
import { grpcMessage, textOfMessages } from './grpc-messages.js';
import { TwoProtocolServer } from './two-protocol-server.js';

/** Instances of one case: this many addresses 127.1.x.y are theirs. */
const MAX_INSTANCES = 250;

/** Somebody who waits for requests. */
interface Waiter {
  readonly isEnough: (received: readonly ReceivedRequest[]) => boolean;
  readonly tell: () => void;
}

interface Backend {
  script: AnswerScript;
  server: TwoProtocolServer | undefined;
}

/** The instances of a case as real servers of HTTP and gRPC, each at a loopback address of its own, all at one port. */
export class RealBackends {
  readonly received: ReceivedRequest[] = [];
  readonly #backends = new Map<string, Backend>();
  #waiters: Waiter[] = [];
  /** Settled once delays count; see {@link delayAfter}. */
  #delaysFrom: Promise<unknown> = Promise.resolve();

  private constructor(
    /** Tells the addresses of this case from those of others that run at the same time. */
    private readonly block: number,
    readonly port: number,
    readonly appPort: number,
  ) {}

  static async start(
    block: number,
    port: number,
    appPort: number,
    app: readonly InstanceAnswer[],
    instances: ServiceInstances,
  ): Promise<RealBackends> {
    const backends = new RealBackends(block, port, appPort);
    await backends.#listen(LOCAL_APP, '127.0.0.1', appPort, app);
    await backends.place(instances);
    return backends;
  }

  /** Puts instances in place; one that was there keeps its address. */
  async place(instances: ServiceInstances): Promise<void> {
    for (const spec of Object.values(instances).flat()) await this.#place(spec);
  }

  /** Resolves once enough requests have arrived since {@link received} was emptied. */
  untilReceived(isEnough: Waiter['isEnough']): Promise<void> {
    return new Promise((tell) => {
      this.#waiters.push({ isEnough, tell });
      this.#look();
    });
  }

  /**
   * Delays of answers count from then on: calls that are made at once are under way at the same time, however long a busy machine
   * takes to send them.
   */
  delayAfter(sent: Promise<unknown>): void {
    this.#delaysFrom = sent;
  }

  hostOf(id: string): string {
    const names = [...this.#backends.keys()];
    const index = names.indexOf(id);
    if (index < 1 || index > MAX_INSTANCES) throw new Error(`there is no instance ${id}`);
    return `127.1.${this.block % 250}.${index}`;
  }

  async close(): Promise<void> {
    for (const { server } of this.#backends.values()) await server?.close();
  }

  async #place({ id, refuses, answers }: InstanceSpec): Promise<void> {
    const known = this.#backends.get(id);
    if (known === undefined) this.#backends.set(id, { script: new AnswerScript(id, answers), server: undefined });
    else known.script = new AnswerScript(id, answers);
    const backend = this.#backends.get(id) as Backend;
    if (refuses) {
      await backend.server?.close();
      backend.server = undefined;
    } else if (backend.server === undefined) await this.#listen(id, this.hostOf(id), this.port, answers);
  }

  async #listen(id: string, host: string, port: number, answers: readonly InstanceAnswer[]): Promise<void> {
    const server = new TwoProtocolServer({
      http1: (request, response) => void this.#answer(id, request, response).catch(() => response.destroy()),
      http2: (stream, head) => void this.#answerGrpc(id, stream, head).catch(() => stream.destroy()),
    });
    await server.listen(port, host);
    const known = this.#backends.get(id);
    if (known === undefined) this.#backends.set(id, { script: new AnswerScript(id, answers), server });
    else known.server = server;
  }

  async #answer(id: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const { method = '', url: path = '' } = request;
    const body = Buffer.concat(pieces).toString();
    const answer = await this.#next({ instance: id, method, path, headers: joinedFields(request), body });
    if (answer.reset) {
      request.socket.resetAndDestroy();
      return;
    }
    response.writeHead(answer.status, { ...answer.headers });
    response.end(answer.body);
  }

  /** Answers as a server of gRPC: one message and OK, or a status in trailers only, or an error of HTTP that has none. */
  async #answerGrpc(id: string, stream: ServerHttp2Stream, head: IncomingHttpHeaders): Promise<void> {
    stream.on('error', () => undefined);
    const pieces: Buffer[] = [];
    for await (const piece of stream) pieces.push(piece as Buffer);
    const { ':method': method = '', ':path': path = '', ':authority': host = '', ...fields } = head;
    const headers = Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]),
    );
    const body = textOfMessages(Buffer.concat(pieces));
    const answer = await this.#next({ instance: id, method, path, headers: { host, ...headers }, body });
    if (stream.destroyed) return;
    if (answer.reset) {
      stream.close(constants.NGHTTP2_INTERNAL_ERROR);
      return;
    }
    const { status, grpcStatus = 0, late } = answer;
    const own = { ':status': status, 'content-type': 'application/grpc', ...answer.headers };
    if (status !== 200) stream.respond(own, { endStream: true });
    else if (grpcStatus !== 0 && !late) stream.respond({ ...own, 'grpc-status': grpcStatus }, { endStream: true });
    else {
      stream.respond(own, { waitForTrailers: true });
      stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': String(grpcStatus) }));
      stream.end(grpcMessage(answer.body));
    }
  }

  /** Notes a request and gives what it is answered with, when its time has come. */
  async #next(request: ReceivedRequest): Promise<ReturnType<AnswerScript['next']>> {
    this.received.push(request);
    this.#look();
    const answer = (this.#backends.get(request.instance) as Backend).script.next(request.path);
    if (answer.delayMs > 0) {
      await this.#delaysFrom;
      await pause(answer.delayMs);
    }
    return answer;
  }

  #look(): void {
    this.#waiters = this.#waiters.filter(({ isEnough, tell }) => {
      if (!isEnough(this.received)) return true;
      tell();
      return false;
    });
  }
}

/** Header fields by name in lower case; those of one name are joined. */
export function joinedFields({ headersDistinct }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(Object.entries(headersDistinct).map(([name, values]) => [name, (values ?? []).join(', ')]));
}
