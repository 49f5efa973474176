import { createServer, type Socket } from 'node:net';

const HELLO = 'X-Odd-CASE:  kept \r\nx-odd-case: twice\r\nContent-Length: 5\r\nKeep-Alive: timeout=7, max=9\r\n\r\n';

/** What is answered to a path, in the pieces in which it is sent; `end` closes the connection behind it. */
const ANSWERS: Readonly<Record<string, readonly string[]>> = {
  '/length': ['HTTP/1.1 200 Fine\r\nConnection: keep-alive\r\n', HELLO, 'hello'],
  '/chunked': [
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\nTrailer: X-Sum\r\n\r\n5;note=1\r\nhel',
    'lo\r\n1\r\n!\r\n0\r\nX-Sum: 6\r\n\r\n',
  ],
  '/nothing': ['HTTP/1.1 204 No Content\r\nserver: odd\r\n\r\n'],
  '/unchanged': ['HTTP/1.1 304 Not Modified\r\nContent-Length: 900\r\nETag: "1"\r\n\r\n'],
  '/early': ['HTTP/1.1 103 Early Hints\r\nLink: </style>\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
  '/events': [
    'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n',
    'b\r\ndata: one\n\n\r\n',
    '9\r\ndata: 2\n\n\r\n',
    '0\r\n\r\n',
  ],
  '/fails': ['HTTP/1.1 503 \r\nRetry-After: 1\r\nContent-Length: 2\r\n\r\nno'],
  '/unframed': ['HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil ', 'the end', 'end'],
  '/old': ['HTTP/1.0 200 OK\r\nX-Old: 1\r\n\r\n', 'as it was', 'end'],
  '/switch': ['HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n'],
  '/taken': ['HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\ntaken'],
  '/strange': ['HTTP/1.1 200 OK\nContent-Length: 3\n\nodd', 'end'],
};

/** Milliseconds between two pieces: they leave and arrive each by itself. */
const PAUSE = 15;

/**
 * A server of HTTP/1 that answers each path with exactly the bytes written here, one request after another, for tests in network namespaces:
 * `exact-answers-main.js PORT`. Prints `listening` when it does. Bodies of requests are read by Content-Length.
 */
async function serve(socket: Socket): Promise<void> {
  const { take } = reader(socket);
  for (;;) {
    const head = await take(/^[^]*?\r\n\r\n/);
    if (head === undefined) break;
    const [, method = '', path = ''] = /^(\S+) (\S+)/.exec(head) ?? [];
    if (/^expect: 100-continue/im.test(head)) socket.write('HTTP/1.1 100 Continue\r\n\r\n');
    const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
    if (length > 0) await take(new RegExp(`^[^]{${length}}`));
    const pieces = ANSWERS[path] ?? ['HTTP/1.1 404 Unknown\r\nContent-Length: 0\r\n\r\n'];
    for (const piece of pieces) {
      if (piece === 'end') {
        socket.end();
        return;
      }
      // HEAD gets what GET would, without the body.
      socket.write(method === 'HEAD' ? piece.replace(/^hello$/, '') : piece, 'latin1');
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
    if (path === '/switch') {
      const rest = await take(/^[^]*\.$/);
      socket.end(`echo ${rest}`);
      return;
    }
  }
  socket.end();
}

/** @returns what takes the text that matches from what has come, once it is there; undefined at the end of the connection */
function reader(socket: Socket): { take(pattern: RegExp): Promise<string | undefined> } {
  let text = '';
  let hasEnded = false;
  let wake = (): void => undefined;
  socket.on('error', () => undefined);
  socket.setEncoding('latin1').on('data', (more: string) => {
    text += more;
    wake();
  });
  socket.on('end', () => {
    hasEnded = true;
    wake();
  });
  return {
    async take(pattern) {
      for (;;) {
        const [found] = pattern.exec(text) ?? [];
        if (found !== undefined) {
          text = text.slice(found.length);
          return found;
        }
        if (hasEnded) return undefined;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}

createServer({ allowHalfOpen: true, noDelay: true }, (socket) => void serve(socket)).listen(
  { port: Number(process.argv[2]), host: '::' },
  () => process.stdout.write('listening\n'),
);
process.stdin.resume().once('end', () => process.exit());
