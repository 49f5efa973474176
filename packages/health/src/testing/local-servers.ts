import { once } from 'node:events';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { LocalTarget } from '@mesher/core';

/** A server of a test, on a port of its own. */
export interface LocalServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Listens on loopback and keeps the sockets, so that closing waits for nobody. */
export async function listen(server: Server, host = '127.0.0.1'): Promise<LocalServer> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
  });
  server.listen(0, host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** An application that speaks HTTP. */
export function httpServer(answer: RequestListener, host?: string): Promise<LocalServer> {
  return listen(createHttpServer(answer), host);
}

/** A port that takes connections and does `onSocket` with them, nothing when left out. */
export function tcpServer(onSocket: (socket: Socket) => void = () => undefined): Promise<LocalServer> {
  return listen(createServer(onSocket));
}

/** A port on which nobody listens. */
export async function freePort(): Promise<number> {
  const server = await tcpServer();
  await server.close();
  return server.port;
}

/** What is checked, with the defaults of the configuration. */
export function targetOf(
  port: number,
  facts: { readonly uri?: string; readonly host?: string; readonly match?: Partial<LocalTarget['match']> } = {},
): LocalTarget {
  return {
    host: facts.host ?? '127.0.0.1',
    port,
    uri: facts.uri,
    match: { status: undefined, body: undefined, maxBody: 65_536, ...facts.match },
  };
}
