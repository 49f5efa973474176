import { ACK, END_HEADERS, END_STREAM, FRAME, FrameCutter, PREFACE, frame, literalField } from '../net/http2-frames.js';
import { GRPC_HEADERS, GRPC_PATH, GRPC_SERVICE, grpcMessage } from '../net/grpc-call.js';
import { holdConnections, type HeldConnections } from './held-connections.js';
import { readTask } from './helper.js';

/**
 * Opens HTTP/2 connections and holds them: each idle after one gRPC call that was answered, or each with calls that have sent their
 * head and a first message and do not end.
 */
export interface HeldCallsTask extends HeldConnections {
  /** Calls that stay open on each connection; 0 makes one call and holds the connection idle. */
  readonly openCalls: number;
}

const MESSAGE_BYTES = 100;

const task = readTask<HeldCallsTask>();
const HEAD = Buffer.concat([
  ...[
    [':method', 'POST'],
    [':scheme', 'http'],
    [':path', GRPC_PATH],
    [':authority', GRPC_SERVICE],
  ].map(([name = '', value = '']) => literalField(name, value)),
  ...GRPC_HEADERS.map(([name, value]) => literalField(name, value)),
]);

/** Everything that a connection says at first. */
function opening(): Buffer {
  const parts = [PREFACE, frame(FRAME.settings, 0, 0)];
  const calls = Math.max(1, task.openCalls);
  for (let index = 0; index < calls; index += 1) {
    const id = 2 * index + 1;
    parts.push(
      frame(FRAME.headers, END_HEADERS, id, HEAD),
      frame(FRAME.data, task.openCalls === 0 ? END_STREAM : 0, id, grpcMessage(MESSAGE_BYTES)),
    );
  }
  return Buffer.concat(parts);
}

const bytes = opening();

holdConnections(task, (socket, settle) => {
  const cutter = new FrameCutter();
  socket.on('data', (chunk: Buffer) => {
    cutter.push(chunk, ({ type, flags, stream }) => {
      if (type === FRAME.settings && (flags & ACK) === 0) {
        socket.write(frame(FRAME.settings, ACK, 0));
        // Open calls are counted where they arrive; here they are sent once the other side has spoken.
        if (task.openCalls > 0) settle();
      } else if (type === FRAME.reset) settle(`call ${stream} was reset`);
      else if (type === FRAME.goaway) settle('a held connection got GOAWAY');
      else if (stream === 1 && (flags & END_STREAM) !== 0 && type <= FRAME.headers) {
        if (task.openCalls === 0) settle();
        else settle('a call that should stay open was answered');
      }
    });
  });
  socket.write(bytes);
});
