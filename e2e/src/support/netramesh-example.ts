import { chmod, copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.js';
import { intercept } from './intercepted-calls.js';
import { ADDRESSES, TwoHosts, type NetworkNamespace } from './network-namespaces.js';
import { MESHER_BIN } from './sidecar.js';
import type { SpawnedProcess } from './spawned-process.js';

/** What netramesh's example gives its sidecars (examples/kube/nginx-app), to the letter. */
const SIDECAR_ENV = {
  JAEGER_AGENT_HOST: 'jaeger-agent',
  JAEGER_AGENT_PORT: '6831',
  JAEGER_SAMPLER_TYPE: 'const',
  JAEGER_SAMPLER_PARAM: '1',
  NETRA_HTTP_PORTS: '80,8890,8891,8080',
};
/** Name of the deployment: that of the pod without its two random endings. */
const SERVICE_NAME = "${POD_NAMESPACE}.$(echo ${POD_NAME} | sed -e 's/-[a-z0-9]*-[a-z0-9]*$//g')";
/** Where the cluster knows the service `app`; it leads to port 80 of the pod. */
const APP_SERVICE = '10.96.0.10';
/** The router between the pods: where `jaeger-agent` is, and where calls from outside come from. */
export const OUTSIDE = '10.77.1.1';

/** Which program stands beside a pod: Mesher, or the path of a netramesh. */
export type SidecarProgram = 'mesher' | { readonly netramesh: string };

const APP = `
require('node:http').createServer((request, response) => {
  response.sendDate = false;
  const text = request.url === '/head' ? JSON.stringify(request.rawHeaders) : 'hello from the app ' + request.url + '\\n';
  if (request.url === '/odd') response.writeHead(203, 'Odd but Right', ['x-lower', 'a', 'X-UPPER', 'b', 'X-lower', 'c']);
  response.end(text);
}).listen(80, '0.0.0.0', () => process.stdout.write('listening\\n'));
process.stdin.resume().once('end', () => process.exit());
`;

/** Two pods, nginx in front of an application, as netramesh's example has them; a host outside calls them. */
export class NetrameshExample {
  private constructor(
    private readonly hosts: TwoHosts,
    private readonly folder: string,
  ) {}

  /** The pods without sidecars. */
  static async create(): Promise<NetrameshExample> {
    const folder = await mkdtemp(join(tmpdir(), 'mesher-netramesh-example-'));
    await chmod(folder, 0o755);
    const example = new NetrameshExample(await TwoHosts.create(), folder);
    await example.#start();
    return example;
  }

  get outside(): NetworkNamespace {
    return this.hosts.router;
  }

  /** A call from outside. @returns the answer with its head, but for the time of day */
  async curl(path: string, ...args: string[]): Promise<string> {
    const url = `http://${ADDRESSES.near.ipv4}${path}`;
    const text = await this.outside.must('curl', ['-sSi', '--max-time', '20', ...args, url]);
    return text.replace(/^Date: .*\r\n/m, '');
  }

  /** Starts a sidecar as the example does, and the rules as its init container has them. */
  async sidecar(pod: 'nginx' | 'app', program: SidecarProgram = 'mesher'): Promise<SpawnedProcess> {
    const host = pod === 'nginx' ? this.hosts.near : this.hosts.far;
    const env = {
      ...SIDECAR_ENV,
      ...{ POD_NAME: `${pod}-59f4b7d47d-4qv9k`, POD_NAMESPACE: 'default', HOST_IP: OUTSIDE },
      INSTANCE_IP: pod === 'nginx' ? ADDRESSES.near.ipv4 : ADDRESSES.far.ipv4,
      PATH: `${this.folder}/bin:${process.env['PATH'] ?? ''}`,
    };
    const command = program === 'mesher' ? 'mesher --mode=transparent' : 'netramesh';
    if (program !== 'mesher') {
      // Where its user may read it.
      await copyFile(program.netramesh, join(this.folder, 'bin/netramesh'));
      await chmod(join(this.folder, 'bin/netramesh'), 0o755);
    }
    const child = this.#inPod(host, ['sh', '-c', `exec ${command} --service-name ${SERVICE_NAME}`], env, 1337);
    if (program === 'mesher') await child.untilPrinted(/"msg":"ready"/);
    else {
      await eventually('netramesh listens', async () => {
        if (!child.isRunning) throw new Error(child.output);
        return (await host.run('curl', ['-s', '-o', '/dev/null', 'http://127.0.0.1:14958/'])).code === 0;
      });
    }
    const { code, stderr } = await intercept(host, ['apply']);
    if (code !== 0) throw new Error(stderr);
    return child;
  }

  async close(): Promise<void> {
    await this.hosts.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    const { near, far, router } = this.hosts;
    await mkdir(join(this.folder, 'bin'));
    await writeFile(join(this.folder, 'bin/mesher'), `#!/bin/sh\nexec '${process.execPath}' '${MESHER_BIN}' "$@"\n`);
    await chmod(join(this.folder, 'bin/mesher'), 0o755);
    await writeFile(join(this.folder, 'hosts'), `127.0.0.1 localhost\n${OUTSIDE} jaeger-agent\n${APP_SERVICE} app\n`);
    await router.must('iptables-nft', [
      ...['-t', 'nat', '-A', 'PREROUTING', '-d', APP_SERVICE, '-p', 'tcp', '--dport', '8080'],
      ...['-j', 'DNAT', '--to-destination', `${ADDRESSES.far.ipv4}:80`],
    ]);
    const app = far.spawn(process.execPath, ['-e', APP]);
    await app.untilPrinted(/^listening$/m);
    await this.#startNginx(near);
  }

  /** Its configuration is that of the example, but for where it writes, and for a path whose requests keep nothing of a trace but their id. */
  async #startNginx(host: NetworkNamespace): Promise<void> {
    const folder = join(this.folder, 'nginx');
    await mkdir(folder, { mode: 0o777 });
    await writeFile(
      join(folder, 'nginx.conf'),
      `daemon off; master_process off; pid ${folder}/nginx.pid; error_log stderr warn;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  upstream app { server app:8080; keepalive 1024; }
  server {
    listen 80 default_server;
    location / { proxy_pass http://app/; }
    location /by-id/ { proxy_pass http://app/; proxy_set_header uber-trace-id ""; proxy_set_header uberctx-user ""; }
  }
}
`,
    );
    const nginx = this.#inPod(host, ['nginx', '-p', folder, '-c', join(folder, 'nginx.conf')], {});
    await eventually('nginx answers', async () => {
      if (!nginx.isRunning) throw new Error(nginx.output);
      return (await host.run('curl', ['-s', '-o', '/dev/null', 'http://127.0.0.1/'])).code === 0;
    });
  }

  /** Starts a program that knows the names of the cluster. */
  #inPod(
    host: NetworkNamespace,
    command: readonly string[],
    env: Readonly<Record<string, string>>,
    uid = 0,
  ): SpawnedProcess {
    const script =
      'mount --bind "$1" /etc/hosts && cd / && shift && exec setpriv --reuid="$0" --regid="$0" --clear-groups "$@"';
    return host.spawn('unshare', ['--mount', 'sh', '-c', script, `${uid}`, join(this.folder, 'hosts'), ...command], {
      env,
    });
  }
}
