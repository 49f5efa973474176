import { createServer } from 'node:net';
import { endWithParent, readTask, report } from '../load/helper.js';

/** Repeats what it gets. */
export interface EchoServerTask {
  readonly port: number;
  readonly host: string;
}

const task = readTask<EchoServerTask>();
endWithParent();
createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => socket.destroy());
  socket.on('data', (bytes) => socket.write(bytes));
}).listen({ ...task, backlog: 4_096 }, () => report({ ready: true }));
