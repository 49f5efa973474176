import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createSecureServer, createServer as createHttp2Server } from 'node:http2';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { createServer, type Server, type Socket } from 'node:net';

type Request = IncomingMessage | Http2ServerRequest;
type Response = ServerResponse | Http2ServerResponse;

/** Answers of a socket so far, for callers that ask whether a connection was kept. */
const answers = new WeakMap<object, number>();

/**
 * An application of many protocols that knows of no proxy: `versatile-app-main.js NAME CERT KEY`. Prints `listening` when it does.
 * - 8080 HTTP/1, 8081 HTTP/2 without TLS, 8443 both over TLS: what was sent, how often this connection was used; `/bytes?COUNT` bytes;
 *   `/refuse` refuses a body before it is sent
 * - 2525 SMTP, which speaks first
 * - 9000 repeats, and ends its side when the client has; 9022 speaks first, whatever it gets
 * - 9001 repeats, too, and prints how each connection ended; `reset` makes it reset the connection, `end` end its side, after which it
 *   prints what it gets
 */
async function main(name: string, cert: string, key: string): Promise<void> {
  const answer = (request: Request, response: Response): void => respond(name, request, response);
  const http = createHttpServer(answer);
  http.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    if (request.url === '/refuse') response.writeHead(413, { Connection: 'close' }).end('too much\n');
    else {
      response.writeContinue();
      respond(name, request, response, 'expected');
    }
  });
  const http2 = createHttp2Server(answer);
  const tls = createSecureServer({ cert: readFileSync(cert), key: readFileSync(key), allowHTTP1: true }, answer);
  await Promise.all([
    listen(http, 8080),
    listen(http2, 8081),
    listen(tls, 8443),
    listen(createServer({ allowHalfOpen: true }, repeat), 9000),
    listen(createServer({ allowHalfOpen: true }, report), 9001),
    listen(
      createServer((socket) => speakFirst(socket, name)),
      9022,
    ),
    listen(
      createServer((socket) => takeMail(socket, name)),
      2525,
    ),
  ]);
  // It ends with the test that has started it, however that ends.
  process.stdin.resume().once('end', () => process.exit());
  process.stdout.write('listening\n');
}

function respond(name: string, request: Request, response: Response, expectation = 'none'): void {
  const session = 'stream' in request ? request.stream.session : undefined;
  const connection: object = session ?? request.socket;
  const number = (answers.get(connection) ?? 0) + 1;
  answers.set(connection, number);
  const [, bytes] = /^\/bytes\?(\d+)$/.exec(request.url ?? '') ?? [];
  if (bytes !== undefined) {
    response.end(Buffer.alloc(Number(bytes), 'mesh'));
    return;
  }
  const hash = createHash('sha256');
  let length = 0;
  request.on('data', (chunk: Buffer) => {
    length += chunk.length;
    hash.update(chunk);
  });
  request.on('end', () => {
    const { httpVersion, method, url } = request;
    const sha256 = hash.digest('hex');
    response.end(`${JSON.stringify({ name, httpVersion, method, url, length, sha256, number, expectation })}\n`);
  });
}

function repeat(socket: Socket): void {
  socket.on('error', () => undefined);
  socket.pipe(socket);
}

function report(socket: Socket): void {
  let ending = 'closed';
  socket.on('error', ({ code }: NodeJS.ErrnoException) => (ending = code ?? 'error'));
  socket.on('data', (bytes: Buffer) => {
    if (bytes.includes('reset')) socket.resetAndDestroy();
    else if (socket.writableEnded) process.stdout.write(`9001 got ${bytes.toString()}`);
    else if (bytes.includes('end')) socket.end('ending\n');
    else socket.write(bytes);
  });
  socket.on('end', () => {
    ending = 'ended';
    socket.end();
  });
  socket.on('close', () => process.stdout.write(`9001 ${ending}\n`));
}

function speakFirst(socket: Socket, name: string): void {
  socket.on('error', () => undefined);
  socket.write(`SSH-2.0-${name}\r\n`);
  socket.resume();
}

/** As much of SMTP (RFC 5321) as a client needs to hand over a mail, which is printed. */
function takeMail(socket: Socket, name: string): void {
  let rest = '';
  let mail: string | undefined;
  socket.on('error', () => undefined);
  socket.write(`220 ${name} ESMTP\r\n`);
  socket.setEncoding('latin1').on('data', (text: string) => {
    const lines = (rest + text).split('\r\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (mail !== undefined && line !== '.') mail += `${line}|`;
      else if (mail !== undefined) {
        process.stdout.write(`mail ${mail}\n`);
        mail = undefined;
        socket.write('250 taken\r\n');
      } else if (/^DATA$/i.test(line)) {
        mail = '';
        socket.write('354 go on\r\n');
      } else if (/^QUIT$/i.test(line)) socket.end('221 bye\r\n');
      else socket.write('250 fine\r\n');
    }
  });
}

function listen(server: Server | ReturnType<typeof createHttp2Server>, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host: '::' }, resolve);
  });
}

const [name = 'nobody', cert = '', key = ''] = process.argv.slice(2);
await main(name, cert, key);
