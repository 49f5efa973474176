import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { skipBecause, type SkippableContext } from '@mesher/core/testing';
import { SpawnedProcess, type Ending } from './spawned-process.js';

/** Longer than any command here runs. */
const LONGEST_RUN_MS = 60_000;

export interface CommandOutcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Who a program runs as; root when left out. */
export interface RunAs {
  readonly uid: number;
  readonly gid: number;
}

export interface NamespaceCommand {
  readonly env?: Readonly<Record<string, string>>;
  readonly as?: RunAs;
}

/** Skips the suite where no network namespace can be made, or a program is missing. */
export function requireNetworkNamespaces(context: SkippableContext, ...programs: readonly string[]): void {
  if (process.platform !== 'linux') skipBecause(context, 'network namespaces exist on Linux only');
  if (process.getuid?.() !== 0) skipBecause(context, 'needs root to make network namespaces');
  for (const program of ['unshare', 'nsenter', 'ip', ...programs]) {
    const { error } = spawnSync(program, ['--version'], { stdio: 'ignore' });
    if (error !== undefined) skipBecause(context, `${program} is not installed`);
  }
  const { status } = spawnSync('unshare', ['--net', 'ip', 'link', 'set', 'lo', 'up'], { stdio: 'ignore' });
  if (status !== 0) skipBecause(context, 'unshare --net is not permitted here');
}

/** A network namespace that lives until it is closed, or until this process ends. Commands of packet filters run in such a one only. */
export class NetworkNamespace {
  readonly #processes = new Set<SpawnedProcess>();

  private constructor(
    readonly name: string,
    private readonly holder: ChildProcess,
  ) {}

  static async create(name: string): Promise<NetworkNamespace> {
    // Its end of the pipe is closed when this process ends, however that happens.
    const holder = spawn('unshare', ['--net', 'sh', '-c', 'echo apart; exec cat >/dev/null'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const [said] = (await Promise.race([once(holder.stdout, 'data'), once(holder, 'exit')])) as unknown[];
    if (!Buffer.isBuffer(said)) throw new Error(`unshare --net ended with ${String(said)}`);
    const namespace = new NetworkNamespace(name, holder);
    await namespace.must('ip', ['link', 'set', 'lo', 'up']);
    return namespace;
  }

  get pid(): number {
    return this.holder.pid ?? 0;
  }

  get path(): string {
    return `/proc/${this.pid}/ns/net`;
  }

  /** Starts a program in it, which ends with it at the latest. */
  spawn(program: string, args: readonly string[], { env = {}, as }: NamespaceCommand = {}): SpawnedProcess {
    const user = as === undefined ? [] : ['--setuid', String(as.uid), '--setgid', String(as.gid)];
    const child = new SpawnedProcess(
      `${this.name}: ${program}`,
      'nsenter',
      [`--net=${this.path}`, ...user, '--', program, ...args],
      env,
    );
    this.#processes.add(child);
    void child.exited.then(() => this.#processes.delete(child));
    return child;
  }

  /** Runs a program in it to its end. */
  async run(program: string, args: readonly string[], command: NamespaceCommand = {}): Promise<CommandOutcome> {
    const child = this.spawn(program, args, command);
    const timer = setTimeout(() => child.signal('SIGKILL'), LONGEST_RUN_MS);
    const { code }: Ending = await child.exited;
    clearTimeout(timer);
    return { code, stdout: child.stdout, stderr: child.stderr };
  }

  /** As {@link run}. @returns what it printed @throws Error with all its output when it fails */
  async must(program: string, args: readonly string[], command: NamespaceCommand = {}): Promise<string> {
    const { code, stdout, stderr } = await this.run(program, args, command);
    if (code === 0) return stdout;
    throw new Error(`${this.name}: ${program} ${args.join(' ')} ended with ${code}: ${stderr}${stdout}`);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#processes].map((child) => child.kill()));
    if (this.holder.exitCode !== null) return;
    const exited = once(this.holder, 'exit');
    this.holder.kill('SIGKILL');
    await exited;
  }
}

/** Addresses of the two hosts. */
export const ADDRESSES = {
  near: { ipv4: '10.77.1.2', ipv6: 'fd77:1::2' },
  far: { ipv4: '10.77.2.2', ipv6: 'fd77:2::2' },
} as const;

/** Two hosts with a router between them, over IPv4 and IPv6. */
export class TwoHosts {
  private constructor(
    readonly near: NetworkNamespace,
    readonly far: NetworkNamespace,
    /** Between them, and the rest of the world. */
    readonly router: NetworkNamespace,
  ) {}

  static async create(): Promise<TwoHosts> {
    const near = await NetworkNamespace.create('near');
    const far = await NetworkNamespace.create('far');
    const router = await NetworkNamespace.create('router');
    await connect(router, near, 1);
    await connect(router, far, 2);
    const forwarding = 'echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding';
    await router.must('sh', ['-c', forwarding]);
    return new TwoHosts(near, far, router);
  }

  async close(): Promise<void> {
    await Promise.all([this.near.close(), this.far.close(), this.router.close()]);
  }
}

/** Gives a host its cable to the router, its addresses, and its default routes. */
async function connect(router: NetworkNamespace, host: NetworkNamespace, net: number): Promise<void> {
  const there = `to-${host.name}`;
  await router.must('ip', ['link', 'add', there, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(host.pid)]);
  const ends: readonly (readonly [NetworkNamespace, string, number])[] = [
    [router, there, 1],
    [host, 'eth0', 2],
  ];
  for (const [end, device, number] of ends) {
    await end.must('ip', ['addr', 'add', `10.77.${net}.${number}/24`, 'dev', device]);
    await end.must('ip', ['addr', 'add', `fd77:${net}::${number}/64`, 'dev', device, 'nodad']);
    await end.must('ip', ['link', 'set', device, 'up']);
  }
  await host.must('ip', ['route', 'add', 'default', 'via', `10.77.${net}.1`]);
  await host.must('ip', ['-6', 'route', 'add', 'default', 'via', `fd77:${net}::1`]);
}
