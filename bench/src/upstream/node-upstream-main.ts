import { createReadStream, statSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { endWithParent, readTask, report } from '../load/helper.js';
import { BODIES, SEEN_PATH } from './bodies.js';

/**
 * The upstream used where nginx is missing: fixed answers from raw sockets. It reads requests without a body and looks
 * at nothing but the path and at Connection.
 */
export interface NodeUpstreamTask {
  readonly port: number;
  readonly largeFile: string;
  readonly largePath: string;
}

const BACKLOG = 4_096;
const HEAD_END = '\r\n\r\n';
const STREAM_CHUNK_BYTES = 262_144;

const task = readTask<NodeUpstreamTask>();
const largeBytes = statSync(task.largeFile).size;
const fixed = new Map(BODIES.map(({ path, body }) => [path, answer('200 OK', body.toString('latin1'))]));
const notFound = answer('404 Not Found', 'no such path\n');

function answer(status: string, body: string): string {
  return `HTTP/1.1 ${status}\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

function serve(socket: Socket, head: string): void {
  const path = head.slice(head.indexOf(' ') + 1, head.indexOf(' ', head.indexOf(' ') + 1));
  if (path === task.largePath) {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${largeBytes}\r\n\r\n`);
    createReadStream(task.largeFile, { highWaterMark: STREAM_CHUNK_BYTES }).pipe(socket, { end: false });
    return;
  }
  if (path === SEEN_PATH) socket.write(answer('200 OK', head), 'latin1');
  else socket.write(fixed.get(path) ?? notFound, 'latin1');
  if (/\r\nconnection:[^\r]*close/i.test(head)) socket.end();
}

endWithParent();
createServer({ noDelay: true }, (socket) => {
  let pending = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    pending += text;
    for (let end = pending.indexOf(HEAD_END); end >= 0; end = pending.indexOf(HEAD_END)) {
      const head = pending.slice(0, end + HEAD_END.length);
      pending = pending.slice(end + HEAD_END.length);
      serve(socket, head);
    }
  });
  socket.on('error', () => socket.destroy());
}).listen({ host: '127.0.0.1', port: task.port, backlog: BACKLOG }, () => report({ ready: true }));
