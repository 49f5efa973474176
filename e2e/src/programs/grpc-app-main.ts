import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { ECHO_METHODS, FAILURE_DETAIL } from '../support/grpc/echo-service.js';

/**
 * The service of support/grpc/echo-service.ts, by @grpc/grpc-js. Settings by environment: NAME, PORT, MAX_CONNECTION_AGE_MS (connections get a
 * GOAWAY after that time).
 */
const { NAME = 'greeter', PORT = '0', MAX_CONNECTION_AGE_MS } = process.env;

const waiting = new Set<() => void>();

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Metadata whose names begin so. */
function metadataOf(given: Metadata, prefix: string): Metadata {
  const chosen = new Metadata();
  for (const name of Object.keys(given.getMap())) {
    if (name.startsWith(prefix)) for (const value of given.get(name)) chosen.add(name, value);
  }
  return chosen;
}

function headFor(given: Metadata): Metadata {
  const head = metadataOf(given, 'echo-');
  head.set('served-by', NAME);
  return head;
}

function answerUnary(call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>): void {
  const { metadata, request } = call;
  const trailers = metadataOf(metadata, 'trail-');
  const [failure] = metadata.get('fail');
  if (failure === undefined || metadata.get('fail-late').length > 0) call.sendMetadata(headFor(metadata));
  if (failure === undefined) answer(null, request, trailers);
  else answer({ code: Number(failure), details: FAILURE_DETAIL, metadata: trailers });
}

function untilReleased(): Promise<void> {
  return new Promise((resolve) => waiting.add(resolve));
}

/** Waits until the client has read enough, or is gone. */
function untilDrained(call: ServerWritableStream<Buffer, Buffer>): Promise<void> {
  return new Promise((resolve) => {
    call.once('drain', resolve);
    call.once('cancelled', resolve);
  });
}

async function sendNumbers(call: ServerWritableStream<Buffer, Buffer>): Promise<void> {
  const [total = 0, size = 4] = call.request.toString().split(',').map(Number);
  const isStepwise = call.metadata.get('stepwise').length > 0;
  call.sendMetadata(headFor(call.metadata));
  for (let number = 0; number < total && !call.cancelled; number++) {
    const message = Buffer.alloc(size, 'c');
    message.writeUInt32BE(number);
    const hasRoom = call.write(message);
    if (isStepwise && number < total - 1) await untilReleased();
    else if (!hasRoom) await untilDrained(call);
  }
  call.end(metadataOf(call.metadata, 'trail-'));
}

function count(call: ServerWritableStream<Buffer, Buffer>): void {
  sendNumbers(call).catch((error: unknown) => call.destroy(error as Error));
}

function sum(call: ServerReadableStream<Buffer, Buffer>, answer: sendUnaryData<Buffer>): void {
  let [messages, bytes, answered] = [0, 0, false];
  const finish = (): void => {
    if (answered) return;
    answered = true;
    answer(null, Buffer.from(`${messages},${bytes}`), metadataOf(call.metadata, 'trail-'));
  };
  call.sendMetadata(headFor(call.metadata));
  call.on('data', (message: Buffer) => {
    bytes += message.length;
    say(`got ${++messages}`);
    if (call.metadata.get('early').length > 0) finish();
  });
  call.on('end', finish);
}

function chat(call: ServerDuplexStream<Buffer, Buffer>): void {
  let messages = 0;
  call.sendMetadata(headFor(call.metadata));
  call.on('data', (message: Buffer) => {
    say(`got ${++messages}`);
    if (!call.write(message)) {
      call.pause();
      call.once('drain', () => call.resume());
    }
  });
  call.on('end', () => call.end(metadataOf(call.metadata, 'trail-')));
}

function hold(call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>): void {
  say('holding');
  call.once('cancelled', () => say('cancelled'));
  void untilReleased().then(() => answerUnary(call, answer));
}

function release(_call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>): void {
  for (const goOn of waiting) goOn();
  waiting.clear();
  answer(null, Buffer.alloc(0));
}

const server = new Server({
  'grpc.max_receive_message_length': -1,
  ...(MAX_CONNECTION_AGE_MS === undefined ? {} : { 'grpc.max_connection_age_ms': Number(MAX_CONNECTION_AGE_MS) }),
});
server.addService(ECHO_METHODS, { say: answerUnary, count, sum, chat, hold, release });
server.bindAsync(`127.0.0.1:${PORT}`, ServerCredentials.createInsecure(), (error) => {
  if (error !== null) throw error;
  say(`${NAME} is listening`);
});

process.once('SIGTERM', () => process.exit(0));
// The input ends with the process that started this one, however that ended: nothing stays behind.
process.stdin.once('end', () => process.exit(0)).resume();
