import { makeSelfSigned } from '@mesher/core/testing';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';

/**
 * An application that knows of no proxy, for tests in network namespaces: `unaware-app-main.js NAME`. Prints `listening` when it does.
 * - 8080: HTTP; answers with its name, who called, and the raw head of the request
 * - 9000: sends what it got back, turned round, once the client has ended its side
 * - 9022: speaks first, as SSH and SMTP do, and repeats what it gets
 * - 8443: TLS; says its name to whoever connects
 */
async function main(name: string): Promise<void> {
  const http = createHttpServer((request, response) => {
    const body = JSON.stringify({ name, from: request.socket.remoteAddress, head: request.rawHeaders });
    // No Date: two answers are the same to the byte.
    response.sendDate = false;
    response.setHeader('X-Odd-CASE', ' kept ');
    response.end(`${body}\n`);
  });
  const reversing = createServer({ allowHalfOpen: true }, (socket) => {
    let text = '';
    socket.on('error', () => undefined);
    socket.setEncoding('latin1').on('data', (more: string) => (text += more));
    socket.on('end', () => socket.end([...text].reverse().join('')));
  });
  const first = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.write(`SSH-2.0-${name}\r\n`);
    socket.pipe(socket);
  });
  const tls = createTlsServer(makeSelfSigned('secure.example'), (socket) => socket.end(`${name} over TLS\n`));
  await Promise.all([listen(http, 8080), listen(reversing, 9000), listen(first, 9022), listen(tls, 8443)]);
  // It ends with the test that has started it, however that ends.
  process.stdin.resume().once('end', () => process.exit());
  process.stdout.write('listening\n');
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host: '::' }, resolve);
  });
}

await main(process.argv[2] ?? 'nobody');
