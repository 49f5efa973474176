import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { eventually } from './eventually.js';

/** A server of StatsD that adds up counters, as servers do. */
export class StatsdDouble {
  readonly #counters = new Map<string, number>();
  readonly #timers = new Map<string, number>();
  #datagrams = 0;
  #longest = 0;

  private constructor(
    private readonly socket: Socket,
    readonly port: number,
  ) {
    socket.on('message', (datagram) => this.#read(datagram));
  }

  static async start(): Promise<StatsdDouble> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new StatsdDouble(socket, socket.address().port);
  }

  get datagrams(): number {
    return this.#datagrams;
  }

  /** Bytes of the longest datagram. */
  get longest(): number {
    return this.#longest;
  }

  get counters(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counters);
  }

  /** How many calls the timers of a name stand for. */
  timings(name: string): number {
    return this.#timers.get(name) ?? 0;
  }

  /** Resolves once a counter has this sum. */
  async counted(name: string, sum: number): Promise<void> {
    await eventually(`${name} ${sum}, among ${JSON.stringify(this.counters)}`, () => this.#counters.get(name) === sum);
  }

  close(): void {
    this.socket.close();
  }

  #read(datagram: Buffer): void {
    this.#datagrams++;
    this.#longest = Math.max(this.#longest, datagram.length);
    for (const line of datagram.toString().split('\n')) {
      const [, name = '', value, type, rate = '1'] = /^([^:|]+):([^|]+)\|(c|g|ms)(?:\|@([0-9.]+))?$/.exec(line) ?? [];
      if (type === undefined) throw new Error(`no line of StatsD: ${line}`);
      const table = type === 'c' ? this.#counters : this.#timers;
      const amount = type === 'c' ? Number(value) : Math.trunc(1 / Number(rate));
      if (type !== 'g') table.set(name, (table.get(name) ?? 0) + amount);
    }
  }
}
