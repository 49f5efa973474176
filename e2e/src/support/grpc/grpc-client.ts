import {
  Client,
  Metadata,
  credentials,
  type CallOptions,
  type ChannelOptions,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ClientUnaryCall,
  type ClientWritableStream,
  type StatusObject,
} from '@grpc/grpc-js';
import { ECHO_METHODS, type EchoMethod } from './echo-service.js';

/** Far more than a call of these tests takes; one that never ends must fail its test. */
const LONGEST_CALL_MS = 30_000;

/** Metadata by name; bytes where the name ends with `-bin`. */
export type Fields = Readonly<Record<string, string | Buffer>>;

/** All that a client learns of a call. */
export interface GrpcAnswer {
  /** The one message of an answer that is no stream; undefined when the call failed. */
  readonly message: Buffer | undefined;
  /** Undefined when there were trailers only. */
  readonly head: Metadata | undefined;
  /** Code, detail, and the trailers as `metadata`. */
  readonly status: StatusObject;
}

interface Call {
  on(event: 'metadata', listener: (head: Metadata) => void): unknown;
  on(event: 'status', listener: (status: StatusObject) => void): unknown;
}

/** A client of the service in echo-service.ts, by @grpc/grpc-js, which repeats nothing by itself. */
export class GrpcClient {
  readonly #client: Client;

  /**
   * @param address `host:port` to dial
   * @param authority the service that is meant, as it stands in `:authority`; the address when left out
   */
  constructor(address: string, authority?: string, options: ChannelOptions = {}) {
    this.#client = new Client(address, credentials.createInsecure(), {
      'grpc.enable_http_proxy': 0,
      'grpc.enable_retries': 0,
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_receive_message_length': -1,
      ...(authority === undefined ? {} : { 'grpc.default_authority': authority }),
      ...options,
    });
  }

  /** A call with one message each way. @param started is given the call, to cancel it */
  unary(
    { path, requestSerialize, responseDeserialize }: EchoMethod,
    message: Buffer | string,
    fields: Fields = {},
    options: CallOptions = {},
    started: (call: ClientUnaryCall) => void = () => undefined,
  ): Promise<GrpcAnswer> {
    return new Promise((resolve) => {
      let received: Buffer | undefined;
      const call = this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        Buffer.from(message),
        metadata(fields),
        bounded(options),
        (_error, value) => (received = value),
      );
      void outcome(call).then((end) => resolve({ message: received, ...end }));
      started(call);
    });
  }

  async say(message: Buffer | string, fields: Fields = {}, options: CallOptions = {}): Promise<GrpcAnswer> {
    return await this.unary(ECHO_METHODS.say, message, fields, options);
  }

  /** Starts a call of Count. */
  count(messages: number, size: number, fields: Fields = {}): ClientReadableStream<Buffer> {
    const { path, requestSerialize, responseDeserialize } = ECHO_METHODS.count;
    const call = this.#client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      Buffer.from(`${messages},${size}`),
      metadata(fields),
      bounded({}),
    );
    // The status tells; an error that nobody listens to would end the process.
    call.on('error', () => undefined);
    return call;
  }

  /** Starts a call of Sum. */
  sum(fields: Fields = {}): { call: ClientWritableStream<Buffer>; answer: Promise<GrpcAnswer> } {
    const { path, requestSerialize, responseDeserialize } = ECHO_METHODS.sum;
    let received: Buffer | undefined;
    const call = this.#client.makeClientStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      metadata(fields),
      bounded({}),
      (_error, value) => (received = value),
    );
    return { call, answer: outcome(call).then((end) => ({ message: received, ...end })) };
  }

  /** Starts a call of Chat. */
  chat(fields: Fields = {}): ClientDuplexStream<Buffer, Buffer> {
    const { path, requestSerialize, responseDeserialize } = ECHO_METHODS.chat;
    const call = this.#client.makeBidiStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      metadata(fields),
      bounded({}),
    );
    call.on('error', () => undefined);
    return call;
  }

  close(): void {
    this.#client.close();
  }
}

/** Head and status of a call; resolves when it has ended. */
export function outcome(call: Call): Promise<Omit<GrpcAnswer, 'message'>> {
  return new Promise((resolve) => {
    let head: Metadata | undefined;
    call.on('metadata', (fields) => (head = fields));
    call.on('status', (status) => resolve({ head, status }));
  });
}

/** The next message of a stream. */
export function nextMessage(call: ClientReadableStream<Buffer>): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    call.once('data', (message: Buffer) => {
      call.pause();
      resolve(message);
    });
    call.once('status', ({ code, details }: StatusObject) => reject(new Error(`ended with ${code}: ${details}`)));
    call.resume();
  });
}

/** All further messages of a stream, and how it ended. */
export async function allMessages(call: ClientReadableStream<Buffer>): Promise<Buffer[]> {
  const messages: Buffer[] = [];
  call.on('data', (message: Buffer) => messages.push(message));
  const { status } = await outcome(call);
  if (status.code !== 0) throw new Error(`ended with ${status.code}: ${status.details}`);
  return messages;
}

function metadata(fields: Fields): Metadata {
  const made = new Metadata();
  for (const [name, value] of Object.entries(fields)) made.set(name, value);
  return made;
}

function bounded(options: CallOptions): CallOptions {
  return { deadline: Date.now() + LONGEST_CALL_MS, ...options };
}
