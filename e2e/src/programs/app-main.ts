import { createHash } from 'node:crypto';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { WebSocketServer } from 'ws';

/**
 * The application of these tests, consumer and provider alike. Settings by environment: NAME, PORT, HTTP_PROXY.
 *
 * | path | what it does |
 * | --- | --- |
 * | `/status/418` | answers with that status |
 * | `/bytes/1000` | answers with so many bytes |
 * | `/upload` | says how many bytes it got, and their SHA-256 |
 * | `/hold` | answers when it is told to (`/control/release`) |
 * | `/events` | server-sent events, one for each `/control/event` |
 * | `/control/...` | orders of the test, sent to this port directly |
 * | anything else | answers with what it got, as JSON; an upgrade to WebSocket is answered message by message |
 */
const { NAME = 'app', PORT = '0', HTTP_PROXY } = process.env;
const PIECE = Buffer.alloc(65_536, 'x');

const held = new Set<ServerResponse>();
const readers = new Set<ServerResponse>();
const waitingForHeld: (() => void)[] = [];

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'x-app': NAME });
  response.end(`${JSON.stringify(body)}\n`);
}

async function read(incoming: IncomingMessage): Promise<string> {
  let text = '';
  for await (const piece of incoming.setEncoding('utf8')) text += piece as string;
  return text;
}

async function upload(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const piece of incoming as AsyncIterable<Buffer>) {
    bytes += piece.length;
    hash.update(piece);
  }
  const { expect, 'transfer-encoding': coding, 'content-length': length } = incoming.headers;
  answer(response, 200, { name: NAME, bytes, sha256: hash.digest('hex'), expect, coding, length });
}

function sendBytes(response: ServerResponse, count: number): void {
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': count });
  let left = count;
  const more = (): void => {
    while (left > 0) {
      const piece = left >= PIECE.length ? PIECE : PIECE.subarray(0, left);
      left -= piece.length;
      if (!response.write(piece)) return;
    }
    response.end();
    response.off('drain', more);
  };
  response.on('drain', more);
  more();
}

function hold(response: ServerResponse): void {
  held.add(response);
  response.once('close', () => held.delete(response));
  for (const tell of waitingForHeld.splice(0)) tell();
}

function streamEvents(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.flushHeaders();
  readers.add(response);
  response.once('close', () => readers.delete(response));
}

interface Order {
  readonly url: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** Calls through HTTP_PROXY, as any program does: the whole URL stands in the request line. */
function callOut({ url, method = 'GET', headers = {}, body }: Order, response: ServerResponse): void {
  const proxy = new URL(HTTP_PROXY ?? 'http://127.0.0.1:30101');
  const outgoing = request({
    ...{ host: proxy.hostname, port: proxy.port, method, path: url },
    headers: { host: new URL(url).host, ...headers },
  });
  outgoing.once('error', (error) => answer(response, 500, { error: error.message }));
  outgoing.once('response', (incoming) => {
    void read(incoming).then((text) =>
      answer(response, 200, { status: incoming.statusCode, headers: incoming.headers, body: text }),
    );
  });
  outgoing.end(body);
}

async function obey(what: string, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await read(incoming);
  switch (what) {
    case 'call':
      return callOut(JSON.parse(body) as Order, response);
    case 'until-held':
      if (held.size === 0) await new Promise<void>((resolve) => waitingForHeld.push(resolve));
      break;
    case 'release':
      for (const waiting of held) answer(waiting, 200, { name: NAME, held: true });
      break;
    case 'event':
      for (const reader of readers) reader.write(`data: ${body}\n\n`);
      break;
    case 'end-events':
      for (const reader of readers) reader.end();
  }
  answer(response, 200, {});
}

async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method, url = '/', rawHeaders } = incoming;
  const [, first = '', second = ''] = url.split(/[/?]/);
  switch (first) {
    case 'control':
      return await obey(second, incoming, response);
    case 'status':
      return answer(response, Number(second), { name: NAME });
    case 'bytes':
      return sendBytes(response, Number(second));
    case 'upload':
      return await upload(incoming, response);
    case 'hold':
      return hold(response);
    case 'events':
      return streamEvents(response);
    default:
      return answer(response, 200, { name: NAME, method, url, rawHeaders, body: await read(incoming) });
  }
}

const server = createServer((incoming, response) => {
  serve(incoming, response).catch(() => response.destroy());
});
new WebSocketServer({ server }).on('connection', (socket) => {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  socket.on('error', () => socket.terminate());
});
server.listen(Number(PORT), '127.0.0.1', () => process.stdout.write(`${NAME} is listening\n`));

process.once('SIGTERM', () => process.exit(0));
// The input ends with the process that started this one, however that ended: nothing stays behind.
process.stdin.once('end', () => process.exit(0)).resume();
