import { createRequire } from 'node:module';
import { InterceptError } from '../intercept-error.js';

/** The two system calls that Node has no words for. Both answer 0, or the errno when they fail. */
export interface SystemCalls {
  getsockopt(fd: number, level: number, option: number, value: Uint8Array): number;
  setsockopt(fd: number, level: number, option: number, value: Uint8Array): number;
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
  const length = new Uint32Array(1);
  return {
    getsockopt: (fd, level, option, value) => {
      length[0] = value.byteLength;
      return get(fd, level, option, value, length) === 0 ? 0 : koffi.errno();
    },
    setsockopt: (fd, level, option, value) =>
      set(fd, level, option, value, value.byteLength) === 0 ? 0 : koffi.errno(),
  };
}

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
