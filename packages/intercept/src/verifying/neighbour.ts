import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mustRun, type CommandRunner } from '../applying/command-runner.js';
import type { Family } from '../settings/cidr.js';
import { resultOfError, type ProbeResult } from './probe-client.js';
import type { ProbeTarget } from './probe-targets.js';

/** The two ends of a cable: link-local networks, so that no route of the namespace is touched. */
export const HERE: Readonly<Record<Family, string>> = { ipv4: '169.254.149.1', ipv6: 'fd00:149:56::1' };
export const THERE: Readonly<Record<Family, string>> = { ipv4: '169.254.149.2', ipv6: 'fd00:149:56::2' };
const LENGTHS: Readonly<Record<Family, number>> = { ipv4: 30, ipv6: 126 };
const INTERFACE = 'mesherprobe0';
const FAR_INTERFACE = 'mesherprobe1';

/** Says that it is there, and ends with its input, that is with us at the latest. */
const HOLD = 'echo apart; exec cat >/dev/null';

/** Run by a Node in the other namespace: connects so many times at once, and says on a line each what became of it. */
const CLIENT = `
const [address, port, ms, count] = process.argv.slice(1);
for (let i = 0; i < Number(count); i++) {
  const socket = require('node:net').connect({ host: address, port: Number(port) });
  let said = false;
  const say = (text) => { if (!said) process.stdout.write(text + '\\n'); said = true; };
  const timer = setTimeout(() => { say('ETIMEDOUT'); socket.destroy(); }, Number(ms));
  socket.once('connect', () => { say('accepted ' + socket.localPort); clearTimeout(timer); socket.resume(); socket.end(); socket.unref(); });
  socket.once('error', (error) => { say(error.code || 'EIO'); clearTimeout(timer); });
}
`;

/**
 * A neighbour on a cable of its own: a network namespace that lives as long as the check, since connections that this one makes to
 * itself never pass where those from outside do.
 */
export class Neighbour {
  private constructor(
    private readonly holder: ChildProcess,
    private readonly run: CommandRunner,
  ) {}

  /** @returns a sentence why there can be none: it takes the capability SYS_ADMIN beside NET_ADMIN */
  static async connect(run: CommandRunner, families: readonly Family[]): Promise<Neighbour | string> {
    const holder = spawn('unshare', ['--net', 'sh', '-c', HOLD], { stdio: ['pipe', 'pipe', 'ignore'] });
    const neighbour = new Neighbour(holder, run);
    try {
      await untilApart(holder);
      const { pid = 0 } = holder;
      await mustRun(run, 'ip', [
        'link',
        'add',
        INTERFACE,
        'type',
        'veth',
        'peer',
        'name',
        FAR_INTERFACE,
        'netns',
        `${pid}`,
      ]);
      for (const family of families) {
        const length = LENGTHS[family];
        const noDetection = family === 'ipv6' ? ['nodad'] : [];
        await mustRun(run, 'ip', ['addr', 'add', `${HERE[family]}/${length}`, 'dev', INTERFACE, ...noDetection]);
        await neighbour.#there('ip', [
          'addr',
          'add',
          `${THERE[family]}/${length}`,
          'dev',
          FAR_INTERFACE,
          ...noDetection,
        ]);
      }
      await mustRun(run, 'ip', ['link', 'set', INTERFACE, 'up']);
      await neighbour.#there('ip', ['link', 'set', FAR_INTERFACE, 'up']);
      return neighbour;
    } catch (error) {
      await neighbour.close();
      return error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : String(error);
    }
  }

  /** Calls from there, so many times at once. */
  async probe({ address, port }: ProbeTarget, timeoutMs: number, count: number): Promise<ProbeResult[]> {
    const numbers = [port, timeoutMs, count].map(String);
    const said = await this.#there(process.execPath, ['-e', CLIENT, address, ...numbers]);
    return said.trim().split('\n').map(resultOfLine);
  }

  /** The cable goes with its namespace; it is cut here as well, so that it is gone when this resolves. */
  async close(): Promise<void> {
    await this.run('ip', ['link', 'del', INTERFACE]);
    if (this.holder.exitCode !== null || this.holder.pid === undefined) return;
    const exited = once(this.holder, 'exit');
    this.holder.kill('SIGKILL');
    await exited;
  }

  async #there(program: string, args: readonly string[]): Promise<string> {
    return await mustRun(this.run, 'nsenter', [`--net=/proc/${this.holder.pid}/ns/net`, program, ...args]);
  }
}

/** Resolves when the shell runs, which is after unshare has left our namespace. */
async function untilApart(holder: ChildProcess): Promise<void> {
  holder.stdin?.on('error', () => undefined);
  const [said] = (await Promise.race([once(holder.stdout ?? holder, 'data'), once(holder, 'exit')])) as unknown[];
  if (!Buffer.isBuffer(said)) throw new Error('unshare --net is not permitted (capability SYS_ADMIN)');
}

function resultOfLine(line: string): ProbeResult {
  const [, clientPort] = /^accepted (\d+)/.exec(line) ?? [];
  return clientPort === undefined ? resultOfError(line) : { kind: 'accepted', clientPort: Number(clientPort) };
}
