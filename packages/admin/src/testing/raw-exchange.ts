import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { once } from 'node:events';

/** Opens a connection to 127.0.0.1 and waits until it is there. */
export async function openConnection(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port });
  await once(socket, 'connect');
  return socket;
}

/** Everything that arrives until the connection ends; a reset counts as an end. */
export async function readToEnd(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await new Promise<void>((resolve) => {
    socket.on('error', () => {});
    socket.on('close', () => resolve());
  });
  return Buffer.concat(chunks).toString('latin1');
}

/** Sends bytes as they are and answers with all that comes back until the server closes. */
export async function exchange(port: number, request: string): Promise<string> {
  const socket = await openConnection(port);
  const answer = readToEnd(socket);
  socket.write(request);
  return answer;
}

/** A request head with the usual Host; the server closes after the answer. */
export function head(firstLine: string, ...fields: string[]): string {
  const hasHost = fields.some((field) => /^host:/i.test(field));
  return [firstLine, ...(hasHost ? [] : ['Host: localhost']), ...fields, 'Connection: close', '', ''].join('\r\n');
}
