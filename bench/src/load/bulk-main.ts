import { connect } from 'node:net';
import { requestHead } from '../net/request-head.js';
import { ResponseReader } from '../net/response-reader.js';
import { endWithParent, readTask, report } from './helper.js';

/**
 * Moves bytes over one connection for a while. `down` fetches the large file again and again over HTTP; `up` sends bytes
 * to the sink, half-closes, and holds the sink's count against its own.
 */
export interface BulkTask {
  readonly direction: 'down' | 'up';
  /** 127.0.0.1 unless given. */
  readonly host?: string;
  readonly port: number;
  readonly path: string;
  readonly seconds: number;
}

/** What was moved; `faults` is empty when every byte arrived. */
export interface BulkResult {
  readonly bytes: number;
  readonly seconds: number;
  readonly faults: readonly string[];
}

/** Large, so that the load core spends its time in the kernel and not in JavaScript. */
const BUFFER_BYTES = 262_144;

const task = readTask<BulkTask>();
const start = performance.now();

function elapsed(): number {
  return (performance.now() - start) / 1e3;
}

function finish(bytes: number, faults: readonly string[]): void {
  report({ bytes, seconds: elapsed(), faults } satisfies BulkResult);
  process.exit(0);
}

function download(): void {
  const head = requestHead(task.path);
  const bad: string[] = [];
  const reader = new ResponseReader((status) => {
    if (status !== 200) bad.push(`answer with status ${status}`);
  });
  const socket = connect({
    host: task.host ?? '127.0.0.1',
    port: task.port,
    onread: {
      buffer: Buffer.allocUnsafeSlow(BUFFER_BYTES),
      callback: (bytes, buffer) => {
        if (reader.push(Buffer.from(buffer.buffer, buffer.byteOffset, bytes)) > 0) {
          if (elapsed() >= task.seconds || bad.length > 0) finish(reader.bodyBytes, bad);
          else socket.write(head);
        }
        return true;
      },
    },
  });
  socket.on('error', (error) => bad.push(error.message));
  socket.on('close', () => finish(reader.bodyBytes, [...bad, 'the connection closed before the answer ended']));
  socket.write(head);
}

function upload(): void {
  const chunk = Buffer.alloc(BUFFER_BYTES, 'mesher bench ');
  let sent = 0;
  let answer = '';
  const bad: string[] = [];
  const socket = connect({ host: task.host ?? '127.0.0.1', port: task.port, allowHalfOpen: true });
  const pump = (): void => {
    let more = true;
    while (more && elapsed() < task.seconds) {
      more = socket.write(chunk);
      sent += chunk.length;
    }
    if (more) socket.end();
    else socket.once('drain', pump);
  };
  socket.setEncoding('latin1').on('data', (text: string) => (answer += text));
  socket.on('error', (error) => bad.push(error.message));
  socket.on('close', () => {
    if (answer !== String(sent)) bad.push(`${sent} bytes sent, "${answer}" arrived`);
    finish(sent, bad);
  });
  socket.on('connect', pump);
}

endWithParent();
if (task.direction === 'down') download();
else upload();
