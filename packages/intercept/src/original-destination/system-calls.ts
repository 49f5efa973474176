import { createRequire } from 'node:module';
import { InterceptError } from '../intercept-error.js';

/** The system calls that Node has no words for. They answer 0, or the errno when they fail. */
export interface SystemCalls {
  getsockopt(fd: number, level: number, option: number, value: Uint8Array): number;
  setsockopt(fd: number, level: number, option: number, value: Uint8Array): number;
  /** Opens a socket of TCP that does not block. @returns its number, or the errno as a negative one */
  openSocket(family: number): number;
  bind(fd: number, address: Uint8Array): number;
  /** Begins to connect; EINPROGRESS is 0 here, too. */
  connect(fd: number, address: Uint8Array): number;
  close(fd: number): void;
}

/** The part of koffi that is used. */
interface Koffi {
  load(path: null): { func(prototype: string): (...args: unknown[]) => number };
  errno(): number;
}

/** Loads koffi; replaceable, so that a machine without it can be tested. */
export type LoadKoffi = () => unknown;

const ALTERNATIVE =
  'run npm install koffi, or let connections come by TPROXY to a listener that systemd hands over (Transparent=true), which needs no koffi';

/**
 * Loads koffi (2 MB, some 20 ms) and finds the calls in the C library that Node is linked with, glibc or musl alike.
 * @throws InterceptError INTERCEPT_NOT_LINUX, INTERCEPT_NO_KOFFI
 */
export function loadSystemCalls(loadKoffi: LoadKoffi = requireKoffi, platform = process.platform): SystemCalls {
  if (platform !== 'linux') {
    throw new InterceptError(
      'INTERCEPT_NOT_LINUX',
      `original destinations are known on Linux only, not on ${platform}`,
    );
  }
  const koffi = loadOrExplain(loadKoffi);
  const libc = koffi.load(null);
  const get = libc.func('int getsockopt(int fd, int level, int option, void *value, uint32_t *length)');
  const set = libc.func('int setsockopt(int fd, int level, int option, const void *value, uint32_t length)');
  const open = libc.func('int socket(int family, int type, int protocol)');
  const bind = libc.func('int bind(int fd, const void *address, uint32_t length)');
  const connect = libc.func('int connect(int fd, const void *address, uint32_t length)');
  const close = libc.func('int close(int fd)');
  const length = new Uint32Array(1);
  const errnoOf = (result: number): number => (result === 0 ? 0 : koffi.errno());
  return {
    getsockopt: (fd, level, option, value) => {
      length[0] = value.byteLength;
      return errnoOf(get(fd, level, option, value, length));
    },
    setsockopt: (fd, level, option, value) => errnoOf(set(fd, level, option, value, value.byteLength)),
    openSocket: (family) => {
      const fd = open(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      return fd < 0 ? -koffi.errno() : fd;
    },
    bind: (fd, address) => errnoOf(bind(fd, address, address.byteLength)),
    connect: (fd, address) => {
      const errno = errnoOf(connect(fd, address, address.byteLength));
      return errno === EINPROGRESS ? 0 : errno;
    },
    close: (fd) => void close(fd),
  };
}

// The same on every architecture that Node is built for.
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const EINPROGRESS = 115;

function loadOrExplain(loadKoffi: LoadKoffi): Koffi {
  try {
    return loadKoffi() as Koffi;
  } catch (error) {
    const why = error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : String(error);
    throw new InterceptError('INTERCEPT_NO_KOFFI', `koffi cannot be loaded (${why}): ${ALTERNATIVE}`, { cause: error });
  }
}

/** koffi is an optional dependency and a CommonJS module with native code; it is loaded when the first listener needs it. */
function requireKoffi(): unknown {
  return createRequire(import.meta.url)('koffi') as unknown;
}
