import type { Socket } from 'node:net';

/**
 * High-water mark of all sockets, in bytes: twice the largest read. Below it Node counts a chunk that left at once as a full buffer,
 * and each costs a 'drain' event and a turn of its queues (measured: 0.59 instead of 0.55 s of CPU per GB of an upload). How much may really
 * wait is decided by `writableLength` and the options.
 */
export const HIGH_WATER_MARK = 131_072;

/**
 * What listens to a socket. The listener functions below are shared by all sockets and find their owner on the socket itself: four
 * closures less per connection, which counts when ten thousand are idle.
 */
export interface SocketOwner {
  onData(chunk: Buffer): void;
  /** The peer will send nothing more. */
  onEnd(): void;
  /** Something that had been waiting to be written was written; more may have been written since. */
  onDrain(): void;
  /** The socket is gone; `onError` has told why, if it was not a clean end. */
  onClose(): void;
  onError(error: Error): void;
}

const OWNER: unique symbol = Symbol('mesher.owner');

interface OwnedSocket extends Socket {
  [OWNER]: SocketOwner;
}

function onData(this: OwnedSocket, chunk: Buffer): void {
  this[OWNER].onData(chunk);
}
function onEnd(this: OwnedSocket): void {
  this[OWNER].onEnd();
}
function onDrain(this: OwnedSocket): void {
  this[OWNER].onDrain();
}
function onClose(this: OwnedSocket): void {
  this[OWNER].onClose();
}
function onError(this: OwnedSocket, error: Error): void {
  this[OWNER].onError(error);
}

/**
 * Makes `owner` the listener of `socket`.
 * @param flowing false for sockets that read through `onread`, which emit no 'data'
 */
export function own(socket: Socket, owner: SocketOwner, flowing: boolean): void {
  (socket as OwnedSocket)[OWNER] = owner;
  if (flowing) socket.on('data', onData);
  socket.on('end', onEnd);
  socket.on('drain', onDrain);
  socket.on('close', onClose);
  socket.on('error', onError);
}

/** Begins to read a socket that was owned without flowing. */
export function startReading(socket: Socket): void {
  socket.on('data', onData);
}

/** Hands a socket to another owner; its listeners stay. */
export function changeOwner(socket: Socket, owner: SocketOwner): void {
  (socket as OwnedSocket)[OWNER] = owner;
}

/** Tells the present owner of a socket that the peer has ended its side, which a previous owner was told. */
export function repeatEnd(socket: Socket): void {
  (socket as OwnedSocket)[OWNER].onEnd();
}

/**
 * Calls `owner.onDrain` once everything written so far has left. `drain` alone would not do: below the high-water mark it never
 * comes, although bytes are still queued.
 */
export function notifyWhenDrained(socket: Socket, owner: SocketOwner): void {
  if (!socket.writableNeedDrain) socket.write('', () => owner.onDrain());
}

/**
 * Tells whether what was reported as the end of the peer's side is a reset in truth: 'error' and 'close' follow then.
 *
 * libuv reports a reset as an end when it comes right behind data (POLLHUP after a read that did not fill its buffer). The kernel
 * keeps the error for the next call on the socket, and an empty write is one. Once our own side has ended nothing can tell.
 */
export function endedByReset(socket: Socket): boolean {
  if (socket.writable && socket.writableLength === 0) socket.write('');
  return socket.errored !== null;
}

/**
 * Closes a connection with a reset instead of an end, so that the peer cannot take what it has got for everything there is. What is
 * still queued is lost.
 */
export function resetSocket(socket: Socket): void {
  // libuv refuses a reset while a shutdown is under way, and the handle would stay open. By then everything has been sent.
  const shuttingDown = socket.writableEnded && !socket.writableFinished && socket.writableLength === 0;
  if (shuttingDown || socket.connecting) socket.destroy();
  else if (!socket.destroyed) socket.resetAndDestroy();
}
