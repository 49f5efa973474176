import { createServer } from 'node:net';
import { endWithParent, readTask, report } from '../load/helper.js';

/** Takes bytes until the sender half-closes, answers with their number in decimal digits, and closes. */
export interface SinkTask {
  readonly port: number;
  /** 127.0.0.1 unless given. */
  readonly host?: string;
}

const task = readTask<SinkTask>();
endWithParent();
createServer({ allowHalfOpen: true }, (socket) => {
  let bytes = 0;
  socket.on('data', (chunk: Buffer) => (bytes += chunk.length));
  socket.on('end', () => socket.end(String(bytes)));
  socket.on('error', () => socket.destroy());
}).listen({ host: task.host ?? '127.0.0.1', port: task.port }, () => report({ ready: true }));
