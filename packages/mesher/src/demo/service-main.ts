import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';

/**
 * The two services of the demo, each its own process: `hello` calls `world` by name through HTTP_PROXY, as any program in any
 * language does it. Settings come by environment: NAME, PORT and, for hello, HTTP_PROXY.
 */
const NAME = process.env.NAME ?? 'world';
const PORT = Number(process.env.PORT ?? 8082);

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(body)}\n`);
}

function world(incoming: IncomingMessage, response: ServerResponse): void {
  answer(response, 200, {
    message: `Hello from ${NAME}`,
    pid: process.pid,
    path: incoming.url,
    caller: incoming.headers['x-cse-src-microservice'],
  });
}

function hello(_incoming: IncomingMessage, response: ServerResponse): void {
  const proxy = new URL(process.env.HTTP_PROXY ?? 'http://127.0.0.1:30101');
  const target = 'http://world/greeting';
  const call = request({
    host: proxy.hostname,
    port: proxy.port,
    path: target,
    headers: { host: new URL(target).host },
  });
  call.on('response', (upstream) => {
    let text = '';
    upstream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    upstream.on('end', () =>
      answer(response, upstream.statusCode === 200 ? 200 : 502, {
        status: upstream.statusCode,
        answer: text.trim(),
        timing: upstream.headersDistinct['server-timing'] ?? [],
      }),
    );
  });
  call.on('error', (error) => answer(response, 502, { status: 502, answer: error.message, timing: [] }));
  call.end();
}

createServer(NAME === 'hello' ? hello : world).listen(PORT, '127.0.0.1', () => {
  process.stdout.write(`${NAME} listens on ${PORT}\n`);
});
process.once('SIGTERM', () => process.exit(0));
