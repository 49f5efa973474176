import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { Agent, request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import {
  CookieJars,
  checkCalls,
  checkExplanation,
  type CallStep,
  type ChangeStep,
  type ConformanceCase,
  type ExplainStep,
  type InstanceSpec,
  type ObservedAnswer,
  type ServiceInstances,
} from '@mesher/core/testing';
import type { CallExplanation } from '@mesher/core';
import { run as runCommand } from '../command.js';
import { eventually } from '../eventually.js';
import type { FreePorts } from '../free-ports.js';
import { call } from '../http-call.js';
import { Scene } from '../scene.js';
import { MESHER_BIN } from '../sidecar.js';
import type { SpawnedProcess } from '../spawned-process.js';
import { GrpcCaller } from './grpc-caller.js';
import { RealBackends, joinedFields } from './real-backends.js';

/** Where the sidecar takes inbound calls; outbound ones go to 127.0.0.1 at the same port. */
const INBOUND_HOST = '127.0.0.2';
/** An instance of a case lives as long as the case. */
const LEASE_SECONDS = 86_400;
/** Longer than any call of the table may take. */
const LONGEST_CALL_MS = 20_000;
/** The file that belongs to the runner: cases have none of this name. */
const OWN_FILE = 'monitoring.yaml';

const NAMED = { 'microservice.yaml': 'servicecomb: { service: { name: orders } }\n' };

/** A case with everything around it running: its instances, its registry folder, and a sidecar of its own. */
export class SidecarHost {
  #lastFiles: Readonly<Record<string, string>>;
  #lastInstances: ServiceInstances;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #jars = new CookieJars();
  readonly #grpcOutbound: GrpcCaller;
  readonly #grpcInbound: GrpcCaller;

  private constructor(
    private readonly scene: Scene,
    private readonly one: ConformanceCase,
    private readonly backends: RealBackends,
    private readonly sidecar: SpawnedProcess,
    private readonly port: number,
    private readonly adminPort: number,
  ) {
    this.#lastFiles = one.files;
    this.#lastInstances = one.instances;
    this.#grpcOutbound = new GrpcCaller('127.0.0.1', port);
    this.#grpcInbound = new GrpcCaller(INBOUND_HOST, port);
  }

  /** @param block number of the case, for addresses that no other case has */
  static async start(one: ConformanceCase, ports: FreePorts, block: number): Promise<SidecarHost> {
    const scene = await Scene.create();
    const [port, adminPort, backendPort, appPort] = [
      await ports.take(),
      await ports.take(),
      await ports.take(),
      await ports.take(),
    ];
    const backends = await RealBackends.start(block, backendPort, appPort, one.app, one.instances);
    await writeConfiguration(scene, one.files, port, adminPort);
    await writeRegistry(scene.registry, backends, one.instances, {});
    const sidecar = scene.spawn(
      'the sidecar',
      process.execPath,
      [MESHER_BIN, `--service-ports=rest:${appPort},grpc:${appPort}`],
      {
        CHASSIS_CONF_DIR: join(scene.folder, 'conf'),
      },
    );
    const host = new SidecarHost(scene, one, backends, sidecar, port, adminPort);
    try {
      await sidecar.untilPrinted(/"msg":"ready"/);
    } catch (error) {
      await host.close();
      throw error;
    }
    return host;
  }

  get logs(): string {
    return this.scene.logs;
  }

  /** @throws Error with everything that is not as expected */
  async run(): Promise<void> {
    for (const [index, step] of this.one.steps.entries()) {
      const problems = await this.#step(step);
      if (problems.length > 0) throw new Error(`step ${index + 1} (${step.kind}):\n${problems.join('\n')}`);
    }
  }

  async close(): Promise<void> {
    this.#agent.destroy();
    this.#grpcOutbound.close();
    this.#grpcInbound.close();
    await this.scene.close();
    await this.backends.close();
  }

  async #step(step: ConformanceCase['steps'][number]): Promise<readonly string[]> {
    switch (step.kind) {
      case 'wait':
        await pause(step.ms);
        return [];
      case 'change':
        return await this.#change(step);
      case 'explain':
        return await this.#explain(step);
      case 'call':
        return await this.#call(step);
    }
  }

  async #call(step: CallStep): Promise<readonly string[]> {
    this.backends.received.length = 0;
    const answers: ObservedAnswer[] = [];
    const once = async (made: number, onSent?: () => void): Promise<void> => {
      const answer = await this.#exchange(step, made, onSent);
      this.#jars.keep(step.client, answer.headers['set-cookie']);
      answers.push(answer);
    };
    if (step.parallel) {
      const sent: Promise<void>[] = [];
      const calls = Array.from({ length: step.times }, () => {
        let onSent: (() => void) | undefined;
        sent.push(new Promise((resolve) => (onSent = resolve)));
        return once(step.times, onSent);
      });
      this.backends.delayAfter(Promise.all(sent));
      await Promise.all(calls);
    } else for (let i = 0; i < step.times; i++) await once(i + 1);
    if (step.expect.received !== undefined) await this.#settle(step.expect.received);
    return checkCalls(step.expect, answers, this.backends.received);
  }

  /** A copy, or an attempt that lost, may still be on its way; one too many gets the time to show. */
  async #settle(wanted: NonNullable<CallStep['expect']['received']>): Promise<void> {
    const arrived = this.backends.untilReceived((received) =>
      'min' in wanted
        ? received.length >= wanted.min
        : [...wanted].every(([id, { min }]) => received.filter(({ instance }) => instance === id).length >= min),
    );
    const late = new AbortController();
    await Promise.race([arrived, pause(LONGEST_CALL_MS, undefined, { signal: late.signal })]);
    late.abort();
    await pause(SETTLE_MS);
  }

  /**
   * @param made calls of the step that are under way or done: a caller leaves when that many requests have arrived
   * @param onSent called once the request is on its way, or never will be
   */
  #exchange(step: CallStep, made: number, onSent: () => void = () => undefined): Promise<ObservedAnswer> {
    const { method, url, protocol, inbound, from, body, abortAfterMs } = step;
    const headers = this.#jars.fields(step.client, step.headers);
    const { host, pathname, search } = new URL(url);
    const leaving = new AbortController();
    if (abortAfterMs !== undefined) {
      // Not before its request is at an instance, however long a busy machine takes: who leaves earlier is another case.
      void this.backends
        .untilReceived((received) => received.length >= made)
        .then(() => pause(abortAfterMs))
        .then(() => leaving.abort());
    }
    const localAddress = from === undefined ? undefined : this.backends.hostOf(from);
    const signal = AbortSignal.any([leaving.signal, AbortSignal.timeout(LONGEST_CALL_MS)]);
    if (protocol === 'grpc') {
      const caller = inbound ? this.#grpcInbound : this.#grpcOutbound;
      return caller.call({ authority: host, path: pathname + search, headers, body, localAddress, signal, onSent });
    }
    const startedAt = performance.now();
    return new Promise((resolve) => {
      const broken = (): void =>
        resolve({ status: 0, headers: {}, body: '', durationMs: performance.now() - startedAt });
      const outgoing = httpRequest({
        host: inbound ? INBOUND_HOST : '127.0.0.1',
        port: this.port,
        method,
        path: inbound ? pathname + search : url,
        headers: { host, ...headers, ...(body === '' ? {} : { 'content-length': Buffer.byteLength(body) }) },
        agent: from === undefined ? this.#agent : false,
        ...(localAddress === undefined ? {} : { localAddress }),
        signal,
      });
      outgoing.once('finish', onSent);
      outgoing.once('close', onSent);
      outgoing.once('error', broken);
      outgoing.once('response', (incoming) => {
        const pieces: Buffer[] = [];
        incoming.on('data', (piece: Buffer) => pieces.push(piece));
        incoming.once('error', broken);
        incoming.once('end', () =>
          resolve({
            status: incoming.statusCode ?? 0,
            headers: joinedFields(incoming),
            body: Buffer.concat(pieces).toString(),
            durationMs: performance.now() - startedAt,
          }),
        );
      });
      outgoing.end(body);
    });
  }

  async #explain({ method, url, headers, protocol, inbound, from, expect }: ExplainStep): Promise<readonly string[]> {
    const answer = await call(`http://127.0.0.1:${this.adminPort}/v1/mesher/explain`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        method,
        url,
        headers,
        protocol,
        direction: inbound ? 'inbound' : 'outbound',
        remoteAddress: from === undefined ? '127.0.0.1' : this.backends.hostOf(from),
        watch: true,
      }),
    });
    if (answer.status !== 200) return [`the admin API answered ${answer.status}: ${answer.body}`];
    return checkExplanation(expect, JSON.parse(answer.body) as CallExplanation);
  }

  async #change({ files, instances, refused }: ChangeStep): Promise<readonly string[]> {
    if (Object.keys(files).length > 0) {
      this.#lastFiles = { ...this.#lastFiles, ...files };
      await writeConfiguration(this.scene, this.#lastFiles, this.port, this.adminPort);
      const told = this.sidecar.untilPrinted(
        refused ? /and is not used/ : /a changed configuration is in effect/,
        'now',
      );
      this.sidecar.signal('SIGHUP');
      await told;
    }
    await this.#changeInstances(instances);
    return [];
  }

  async #changeInstances(instances: ServiceInstances): Promise<void> {
    await this.backends.place(instances);
    await writeRegistry(this.scene.registry, this.backends, instances, this.#lastInstances);
    this.#lastInstances = { ...this.#lastInstances, ...instances };
    for (const [service, specs] of Object.entries(instances)) {
      const wanted = specs.map(describeInstance).sort().join();
      await eventually(`the sidecar sees ${service}: ${wanted}`, async () => {
        const { body } = await call(`http://127.0.0.1:${this.adminPort}/services`);
        const view = JSON.parse(body) as { services: { service: string; instances: InstanceLine[] }[] };
        const seen = view.services.find((entry) => entry.service === service)?.instances ?? [];
        return seen.map(describeLine).sort().join() === wanted;
      });
    }
  }
}

/** Time in which a request that should not be there arrives. */
const SETTLE_MS = 30;

interface InstanceLine {
  readonly instanceId: string;
  readonly version: string;
  readonly status: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly endpoints: readonly { readonly weight: number }[];
}

function describeInstance({ id, version, status, weight, metadata }: InstanceSpec): string {
  return [id, version, status, weight, JSON.stringify(metadata)].join(' ');
}

function describeLine({ instanceId, version, status, endpoints, metadata }: InstanceLine): string {
  return [instanceId, version, status, endpoints[0]?.weight, JSON.stringify(metadata)].join(' ');
}

/** Writes the files of a case, and beside them what it must not know: addresses and the registry. */
async function writeConfiguration(
  scene: Scene,
  files: Readonly<Record<string, string>>,
  port: number,
  adminPort: number,
): Promise<void> {
  const own = {
    'servicecomb.protocols.http.listenAddress': `${INBOUND_HOST}:${port}`,
    'servicecomb.protocols.rest-admin.listenAddress': `127.0.0.1:${adminPort}`,
    'servicecomb.registry.type': 'file',
    'servicecomb.registry.address': scene.registry,
    'servicecomb.registry.register': 'manual',
    // SIGHUP says when all files of a change are written; a watch may see some of them only.
    'mesher.reload.enabled': false,
  };
  const all = { 'mesher.yaml': '', ...NAMED, ...files, [OWN_FILE]: JSON.stringify(own) };
  for (const [name, text] of Object.entries(all)) await scene.write(`conf/${name}`, text);
}

/** Writes the instances as registrations of the file registry; those that are no longer there leave. */
async function writeRegistry(
  folder: string,
  backends: RealBackends,
  instances: ServiceInstances,
  before: ServiceInstances,
): Promise<void> {
  for (const [service, specs] of Object.entries(instances)) {
    const place = join(folder, '.instances', encodeURIComponent(service));
    await mkdir(place, { recursive: true });
    // An empty file of its name says that the service exists, however few instances it has.
    await writeFile(join(folder, service), '');
    for (const spec of specs) {
      // As a registering sidecar does: the file is whole from the moment it appears.
      const whole = join(place, `.${spec.id}.tmp`);
      await writeFile(whole, registration(service, spec, backends));
      await rename(whole, join(place, `${spec.id}.json`));
    }
    const gone = (before[service] ?? []).filter(({ id }) => !specs.some((spec) => spec.id === id));
    for (const { id } of gone) await rm(join(place, `${id}.json`), { force: true });
  }
}

function registration(service: string, spec: InstanceSpec, backends: RealBackends): string {
  const { id, version, app, status, weight, metadata } = spec;
  const address = { host: backends.hostOf(id), port: backends.port, tls: false };
  return JSON.stringify({
    format: 1,
    service,
    app,
    version,
    instanceId: id,
    status,
    weight,
    leaseSeconds: LEASE_SECONDS,
    owner: 'conformance',
    endpoints: { rest: address, grpc: address },
    metadata,
  });
}

/** Checks that a configuration is refused: `mesher config check` says what is wrong and ends with status 3. */
export async function expectRefused({ files, refused }: ConformanceCase): Promise<void> {
  const scene = await Scene.create();
  try {
    for (const [name, text] of Object.entries({ 'mesher.yaml': '', ...NAMED, ...files })) {
      await scene.write(`conf/${name}`, text);
    }
    const { code, stdout } = await runCommand(process.execPath, [
      MESHER_BIN,
      'config',
      'check',
      join(scene.folder, 'conf'),
    ]);
    const says = refused instanceof RegExp ? refused.test(stdout) : stdout.includes(refused ?? '');
    if (code !== 3 || !says) throw new Error(`expected status 3 and ${String(refused)}, but got ${code}:\n${stdout}`);
  } finally {
    await scene.close();
  }
}
