import { connect } from 'node:net';
import { requestHead } from '../net/request-head.js';
import { ResponseReader } from '../net/response-reader.js';
import { endWithParent, readTask, report } from './helper.js';

/**
 * Opens many connections, makes one request on each, and then holds them idle until it is told to let go: what a proxy
 * keeps for a client that stays connected and says nothing.
 */
export interface IdleTask {
  readonly port: number;
  readonly path: string;
  readonly connections: number;
}

/** Handshakes under way at once: below the listen queue of every candidate. */
const CONCURRENT_OPENS = 128;
/** Connections per source address 127.0.0.x, so that source ports never run short, whatever earlier rows left in TIME_WAIT. */
const PER_SOURCE_ADDRESS = 2_000;
const FIRST_SOURCE = 2;

const task = readTask<IdleTask>();
const head = requestHead(task.path);
const faults: string[] = [];
let opened = 0;
let answered = 0;

function openNext(): void {
  if (opened >= task.connections) return;
  const source = `127.0.0.${FIRST_SOURCE + Math.floor(opened / PER_SOURCE_ADDRESS)}`;
  opened += 1;
  let done = false;
  const settle = (reason?: string): void => {
    if (reason !== undefined && faults.length < 20) faults.push(reason);
    if (done) return;
    done = true;
    answered += 1;
    if (answered === task.connections) report({ held: task.connections, faults });
    else openNext();
  };
  const reader = new ResponseReader((status) => {
    if (status !== 200) settle(`answer with status ${status}`);
  });
  const socket = connect({ host: '127.0.0.1', port: task.port, localAddress: source });
  socket.on('data', (bytes: Buffer) => {
    if (reader.push(bytes) > 0) settle();
  });
  socket.on('error', (error) => settle(error.message));
  socket.on('close', () => settle('a held connection was closed'));
  socket.write(head);
}

endWithParent((line) => {
  if (line === 'faults?') report({ held: task.connections, faults });
});
for (let lane = 0; lane < Math.min(CONCURRENT_OPENS, task.connections); lane += 1) openNext();
