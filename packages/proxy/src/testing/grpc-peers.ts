import {
  credentials,
  makeGenericClientConstructor,
  Metadata,
  Server,
  ServerCredentials,
  type CallOptions,
  type Client,
  type ClientDuplexStream,
  type ChannelOptions,
  type ClientReadableStream,
  type ClientUnaryCall,
  type ClientWritableStream,
  type MethodDefinition,
  type ServiceError,
  type StatusObject,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { ProxyHarness } from './proxy-harness.js';
import type { ProxyRig } from './proxy-rig.js';

function method(name: string, requestStream: boolean, responseStream: boolean): MethodDefinition<Buffer, Buffer> {
  const same = (bytes: Buffer): Buffer => bytes;
  return {
    path: `/test.Echo/${name}`,
    requestStream,
    responseStream,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
}

/** A service with the four kinds of calls, whose messages are bytes. */
const SERVICE = {
  unary: method('Unary', false, false),
  serverStream: method('ServerStream', false, true),
  clientStream: method('ClientStream', true, false),
  bidirectional: method('Bidirectional', true, true),
};

type Answered = (error: ServiceError | null, message?: Buffer) => void;

/** A real gRPC client of that service. */
export interface EchoClient extends Client {
  unary(message: Buffer, metadata: Metadata, options: CallOptions, answered: Answered): ClientUnaryCall;
  serverStream(message: Buffer, metadata?: Metadata, options?: CallOptions): ClientReadableStream<Buffer>;
  clientStream(metadata: Metadata, options: CallOptions, answered: Answered): ClientWritableStream<Buffer>;
  bidirectional(metadata?: Metadata, options?: CallOptions): ClientDuplexStream<Buffer, Buffer>;
}

/** Larger than any message of a test. */
const LIMITS: ChannelOptions = {
  'grpc.max_receive_message_length': -1,
  'grpc.max_send_message_length': -1,
  // What the proxy does is to be seen, not what the client makes good.
  'grpc.enable_retries': 0,
};

/** How a unary call ended. */
export interface UnaryResult {
  readonly code: number;
  readonly details: string;
  readonly message: Buffer | undefined;
  readonly initial: Metadata | undefined;
  readonly trailing: Metadata;
}

/** Starts a real gRPC server, which is closed with the rig. */
export async function startGrpcServer(
  rig: ProxyRig,
  implementation: Partial<Record<keyof typeof SERVICE, unknown>>,
): Promise<number> {
  const server = new Server(LIMITS);
  server.addService(SERVICE, implementation as UntypedServiceImplementation);
  rig.atEnd(() => server.forceShutdown());
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) resolve(port);
      else reject(error);
    });
  });
}

/** A client of a proxy, which is closed with the rig. */
export function grpcClient(rig: ProxyRig, to: Pick<ProxyHarness, 'port'>): EchoClient {
  const EchoClientClass = makeGenericClientConstructor(SERVICE, 'Echo');
  const client = new EchoClientClass(`127.0.0.1:${to.port}`, credentials.createInsecure(), LIMITS);
  rig.atEnd(() => client.close());
  return client as unknown as EchoClient;
}

/** Makes one call and waits for all that comes back. */
export function callUnary(
  client: EchoClient,
  message: Buffer | string = 'x',
  metadata: Metadata = new Metadata(),
  options: CallOptions = {},
  onCall: (call: ClientUnaryCall) => void = () => undefined,
): Promise<UnaryResult> {
  return new Promise((resolve) => {
    let answer: Buffer | undefined;
    let initial: Metadata | undefined;
    const call = client.unary(Buffer.from(message), metadata, options, (_error, received) => (answer = received));
    call.on('metadata', (received: Metadata) => (initial = received));
    call.on('status', ({ code, details, metadata: trailing }: StatusObject) =>
      // The answer is told right behind the status.
      setImmediate(() => resolve({ code, details, message: answer, initial, trailing })),
    );
    onCall(call);
  });
}
