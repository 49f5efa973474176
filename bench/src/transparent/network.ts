import { spawnSync } from 'node:child_process';
import type { LaunchSpec } from '../process/launch.js';
import type { Lab } from '../process/lab.js';

const START_TIMEOUT_MS = 10_000;

/** Where the client and the candidate are, and where the servers are. */
export const NEAR_ADDRESS = '10.88.0.1';
export const FAR_ADDRESS = '10.88.0.2';

/** A network of two hosts that lives as long as the lab: rules of interception stand in the near one only. */
export class BenchNetwork {
  private constructor(
    private readonly near: number,
    private readonly far: number,
  ) {}

  /** @throws Error where no network namespace can be made: it needs root */
  static async create(lab: Lab): Promise<BenchNetwork> {
    const network = new BenchNetwork(await holdNamespace(lab), await holdNamespace(lab));
    const must = (host: 'near' | 'far', line: string): void => network.must(host, line);
    must('near', `ip link add eth0 type veth peer name eth0 netns ${network.far}`);
    for (const [host, address] of [
      ['near', NEAR_ADDRESS],
      ['far', FAR_ADDRESS],
    ] as const) {
      must(host, 'ip link set lo up');
      must(host, `ip addr add ${address}/24 dev eth0`);
      must(host, 'ip link set eth0 up');
    }
    // Thousands of connections a second would run out of ports, or of entries, before they are measured.
    must(
      'near',
      'echo 1 > /proc/sys/net/ipv4/tcp_tw_reuse; echo "2000 65000" > /proc/sys/net/ipv4/ip_local_port_range',
    );
    return network;
  }

  /** A program on one of the hosts. @param user id of user and group; root when left out */
  on(host: 'near' | 'far', spec: LaunchSpec, user?: number): LaunchSpec {
    const ids = user === undefined ? [] : [`--setuid=${user}`, `--setgid=${user}`];
    const args = [`--net=/proc/${this[host]}/ns/net`, ...ids, '--', spec.command, ...spec.args];
    return { ...spec, command: 'nsenter', args };
  }

  /** Runs a line of shell on a host. @throws Error with its output when it fails */
  must(host: 'near' | 'far', line: string): void {
    const { status, stderr, stdout } = spawnSync(
      'nsenter',
      [`--net=/proc/${this[host]}/ns/net`, '--', 'sh', '-ec', line],
      {
        encoding: 'utf8',
      },
    );
    if (status !== 0) throw new Error(`${line}: ${stderr}${stdout}`);
  }
}

async function holdNamespace(lab: Lab): Promise<number> {
  const holder = await lab.start({ command: 'unshare', args: ['--net', 'sh', '-c', 'echo apart; exec cat'] });
  if ((await holder.nextLine((line) => line === 'apart', START_TIMEOUT_MS)) === undefined) {
    throw new Error(`unshare --net: ${holder.stderr.trim() || 'no answer'}`);
  }
  return holder.pid;
}
