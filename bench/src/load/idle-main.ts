import { requestHead } from '../net/request-head.js';
import { ResponseReader } from '../net/response-reader.js';
import { holdConnections, type HeldConnections } from './held-connections.js';
import { readTask } from './helper.js';

/**
 * Opens many connections, makes one request on each, and then holds them idle until it is told to let go: what a proxy
 * keeps for a client that stays connected and says nothing.
 */
export interface IdleTask extends HeldConnections {
  readonly path: string;
}

const task = readTask<IdleTask>();
const head = requestHead(task.path);

holdConnections(task, (socket, settle) => {
  const reader = new ResponseReader((status) => {
    if (status !== 200) settle(`answer with status ${status}`);
  });
  socket.on('data', (bytes: Buffer) => {
    if (reader.push(bytes) > 0) settle();
  });
  socket.write(head);
});
