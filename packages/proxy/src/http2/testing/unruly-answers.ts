import type { Random } from '@mesher/core';
import { HeaderBlock } from '../hpack/header-block.js';
import { HeaderField } from '../hpack/header-field.js';
import type { RawSession } from './raw-session.js';

export function oneOf<T>(random: Random, choices: readonly T[]): T {
  return choices[Math.floor(random.next() * choices.length)];
}

function blockOf(...fields: [string, string][]): HeaderBlock {
  return HeaderBlock.of(fields.map(([name, value]) => new HeaderField(name, value)));
}

const HEAD = blockOf([':status', '200'], ['content-type', 'application/grpc']);
const BUSY = blockOf([':status', '503']);
const BROKEN = blockOf([':status', 'x']);
const EARLY = blockOf([':status', '103']);
const UNAVAILABLE_ALONE = blockOf([':status', '200'], ['grpc-status', '14']);
const UNAVAILABLE = blockOf(['grpc-status', '14']);
const OK = blockOf(['grpc-status', '0']);

/** An instance of no kind: answers each request in one of many ways, good ones among them; what it answers names the request. */
export function answerSomehow(random: Random, session: RawSession, id: number, name: string): void {
  const { writer, socket } = session;
  const body = Buffer.from(`[${name}]`);
  const whole = (): void => {
    writer.headers(id, HEAD, false);
    writer.data(id, body, 0, body.length, false);
    writer.headers(id, OK, true);
  };
  const bare = (status: HeaderBlock): void => {
    writer.headers(id, HEAD, false);
    writer.headers(id, status, true);
  };
  oneOf(random, [
    whole,
    whole,
    () => void setImmediate(() => void (!socket.destroyed && whole())),
    () => {
      writer.headers(id, EARLY, false);
      whole();
    },
    () => {
      writer.headers(id, HEAD, false);
      writer.data(id, body, 0, body.length, true);
      writer.reset(id, 0);
    },
    () => writer.headers(id, BUSY, true),
    () => writer.headers(id, UNAVAILABLE_ALONE, true),
    () => bare(UNAVAILABLE),
    () => bare(OK),
    () => {
      writer.headers(id, HEAD, false);
      writer.reset(id, 2);
    },
    () => {
      writer.headers(id, HEAD, false);
      writer.data(id, body, 0, 1, false);
      setImmediate(() => void (!socket.destroyed && writer.reset(id, 11)));
    },
    () => writer.reset(id, 7),
    () => writer.reset(id, 1),
    () => writer.goaway(id - 2, 0),
    () => writer.goaway(id, 0),
    () => writer.headers(id, BROKEN, false),
    () => writer.data(id, body, 0, body.length, true),
    () => socket.destroy(),
    () => undefined,
  ])();
}
