import { Socket, type SocketConstructorOpts } from 'node:net';
import { endianness } from 'node:os';
import { InterceptError } from '../intercept-error.js';
import { AF_INET, AF_INET6, writeSockaddr, type SocketAddress } from './sockaddr.js';
import { IP_TRANSPARENT, IPV6_TRANSPARENT, ON, SOL_IP, SOL_IPV6 } from './socket-options.js';
import { loadSystemCalls, type SystemCalls } from './system-calls.js';

/**
 * Connects from addresses that are not of this machine: the application sees its caller, not the sidecar. Needs the rules of
 * `--keep-source` (TPROXY), the capability NET_ADMIN, and the same family on both ends.
 *
 * Node cannot set an option before it connects, so the connection is begun here and handed over: there is no event `connect`. What is
 * written waits until the connection is there; a refusal comes as the event `error` (ECONNREFUSED, ETIMEDOUT).
 */
export class KeptSource {
  constructor(private readonly calls: SystemCalls) {}

  /** @throws InterceptError INTERCEPT_NOT_LINUX, INTERCEPT_NO_KOFFI */
  static load(): KeptSource {
    return new KeptSource(loadSystemCalls());
  }

  /**
   * @param source address of the caller; its port is chosen anew, since the one of the caller may be in use here
   * @throws InterceptError INTERCEPT_SOCKET, INTERCEPT_NOT_PERMITTED
   */
  connect(source: string, target: SocketAddress, options: Omit<SocketConstructorOpts, 'fd'> = {}): Socket {
    const isIpv6 = target.address.includes(':');
    const fd = this.calls.openSocket(isIpv6 ? AF_INET6 : AF_INET);
    if (fd < 0) throw new InterceptError('INTERCEPT_SOCKET', `no socket can be opened (errno ${-fd})`);
    const order = endianness() === 'LE';
    const errno =
      this.calls.setsockopt(fd, isIpv6 ? SOL_IPV6 : SOL_IP, isIpv6 ? IPV6_TRANSPARENT : IP_TRANSPARENT, ON) ||
      this.calls.bind(fd, writeSockaddr({ address: source, port: 0 }, order)) ||
      this.calls.connect(fd, writeSockaddr(target, order));
    if (errno === 0) return new Socket({ ...options, fd, readable: true, writable: true });
    this.calls.close(fd);
    const what = `connecting to ${target.address} from ${source}`;
    if (errno === EPERM) throw new InterceptError('INTERCEPT_NOT_PERMITTED', `${what} needs the capability NET_ADMIN`);
    throw new InterceptError('INTERCEPT_SOCKET', `${what} failed with errno ${errno}`);
  }
}

const EPERM = 1;
