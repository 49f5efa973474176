import { Chassis } from '../../chassis.js';
import { SOURCE_FIELD } from '../../chain/caller-marks.js';
import { CHASSIS_SECTIONS } from '../../composition/chassis-sections.js';
import type { MeshDocument } from '../../config/document.js';
import type { CallExplanation } from '../../explain/explainer.js';
import type { Destination } from '../../invocation.js';
import { definePlugin, type AnyPlugin } from '../../plugin/define-plugin.js';
import { PluginCatalog } from '../../plugin/plugin-catalog.js';
import { pluginSections } from '../../plugin/plugin-settings.js';
import type { ServiceQuery, ServiceSnapshot } from '../../registry/contracts.js';
import type { Instance, InstanceStatus } from '../../registry/instance.js';
import { FakeCall } from '../fake-call.js';
import { fakePorts, type FakeTime } from '../fake-ports.js';
import { instanceAt } from '../instances.js';
import { loadFiles, type LoadedFiles } from '../load-files.js';
import { RecordingLogger } from '../recording-logger.js';
import { ScriptedDiscovery } from '../scripted-discovery.js';
import type { CallStep, ChangeStep, ConformanceCase, ObservedAnswer, RequestSpec, ServiceInstances } from './cases.js';
import { disagreements } from './agreement.js';
import { checkCalls, checkExplanation } from './check-step.js';
import { CookieJars } from './cookie-jars.js';
import { FakeBackends } from './fake-backends.js';
import { FakeWire } from './fake-wire.js';

/** Fake time after which a step that has not ended never will. */
const LONGEST_STEP_MS = 600_000;

/** Where the local application listens. */
const APP_PORTS = [
  { protocol: 'rest', port: 8080 },
  { protocol: 'grpc', port: 8080 },
] as const;

const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/**
 * Runs a case inside this process: the chassis as an application would have it, on fake time, over a wire without sockets.
 * @param seed of the chance that decides with whom a strategy begins; a case must come out the same whatever it is
 * @throws Error with everything that is not as expected
 */
export async function runInProcess(one: ConformanceCase, seed = 1): Promise<void> {
  if (one.refused !== undefined) return await expectRefused(one);
  await runSteps(one, await InProcessHost.start(one, seed));
}

/**
 * Runs a case with an explanation before each single call. It changes nothing, so that the case must come out as it does without, and
 * what it says must be what becomes of the call.
 * @throws Error with everything that is not as expected
 */
export async function runExplained(one: ConformanceCase): Promise<void> {
  const host = await InProcessHost.start(one);
  host.explainsCalls = true;
  await runSteps(one, host);
}

async function runSteps(one: ConformanceCase, host: InProcessHost): Promise<void> {
  try {
    for (const [index, step] of one.steps.entries()) {
      const problems = await host.run(step);
      if (problems.length > 0) throw new Error(`step ${index + 1} (${step.kind}):\n${problems.join('\n')}`);
    }
  } finally {
    await host.close();
  }
}

async function expectRefused({ refused, files }: ConformanceCase): Promise<void> {
  const { document, errors, said } = await load(catalogOf(new CaseDiscovery()), files);
  if (document !== undefined) throw new Error('the configuration was expected to be refused, but it loads');
  const text = said(errors).join('\n');
  const holds = refused instanceof RegExp ? refused.test(text) : text.includes(refused ?? '');
  if (!holds) throw new Error(`expected problems with ${String(refused)}, but they say:\n${text}`);
}

/** A registry that is sure that there is nothing but what was published. */
class CaseDiscovery extends ScriptedDiscovery {
  readonly #known = new Set<string>();

  override publish(service: string, instances: readonly Instance[]): void {
    this.#known.add(service);
    super.publish(service, instances);
  }

  override watch(query: ServiceQuery, signal: AbortSignal): AsyncIterable<ServiceSnapshot> {
    if (!this.#known.has(query.service)) this.publishAbsent(query.service);
    return super.watch(query, signal);
  }
}

class InProcessHost {
  readonly #jars = new CookieJars();
  /** Each single call is explained right before it is made. */
  explainsCalls = false;

  private constructor(
    private readonly chassis: Chassis,
    private readonly catalog: PluginCatalog,
    private readonly discovery: CaseDiscovery,
    private readonly backends: FakeBackends,
    private readonly ports: ReturnType<typeof fakePorts>,
    private files: Readonly<Record<string, string>>,
    private instances: ServiceInstances,
  ) {}

  static async start({ files, instances, app }: ConformanceCase, seed = 1): Promise<InProcessHost> {
    const ports = fakePorts(seed);
    const discovery = new CaseDiscovery();
    const catalog = catalogOf(discovery);
    const document = await loadWhole(catalog, files);
    const chassis = await Chassis.create({
      document,
      confDir: 'conf',
      catalog,
      ports: { clock: ports.clock, timers: ports.timers, random: ports.random },
      logger: new RecordingLogger(),
      servicePorts: APP_PORTS,
    });
    const host = new InProcessHost(chassis, catalog, discovery, new FakeBackends(ports.timers, app), ports, files, {});
    host.#publish(instances);
    await drive(ports.time, chassis.start());
    return host;
  }

  async run(step: ConformanceCase['steps'][number]): Promise<readonly string[]> {
    switch (step.kind) {
      case 'wait':
        await drive(this.ports.time, new Promise<void>((resolve) => this.ports.timers.after(step.ms, resolve)));
        return [];
      case 'change':
        return await this.#change(step);
      case 'explain':
        return checkExplanation(step.expect, await this.#explain(step, step.headers));
      case 'call':
        return await this.#call(step);
    }
  }

  async close(): Promise<void> {
    await drive(this.ports.time, this.chassis.close());
  }

  async #call(step: CallStep): Promise<readonly string[]> {
    const { backends } = this;
    backends.received.length = 0;
    const answers: ObservedAnswer[] = [];
    const once = async (): Promise<void> => void answers.push(await this.#exchange(step));
    if (step.parallel) await drive(this.ports.time, Promise.all(Array.from({ length: step.times }, once)));
    else if (!this.explainsCalls || step.abortAfterMs !== undefined) {
      for (let i = 0; i < step.times; i++) await drive(this.ports.time, once());
    } else {
      const problems: string[] = [];
      for (let i = 0; i < step.times; i++) {
        const explained = await this.#explain(step, this.#jars.fields(step.client, step.headers));
        const arrivedBefore = backends.received.length;
        await drive(this.ports.time, once());
        const arrived = backends.received.slice(arrivedBefore);
        const answer = answers.at(-1) as ObservedAnswer;
        problems.push(
          ...disagreements(
            explained,
            answer,
            arrived,
            (id) => backends.addressOf(id),
            (address) => backends.listensAt(address),
          ),
        );
      }
      if (problems.length > 0) return problems;
    }
    return checkCalls(step.expect, answers, backends.received);
  }

  #explain(request: RequestSpec, headers: Readonly<Record<string, string>>): Promise<CallExplanation> {
    const { method, url, protocol, inbound } = request;
    const direction = inbound ? 'inbound' : 'outbound';
    const remoteAddress = this.#remoteAddress(request);
    const asked = { method, url, headers, protocol, direction, remoteAddress, watch: true } as const;
    return drive(this.ports.time, this.chassis.explain(asked));
  }

  async #exchange(step: CallStep): Promise<ObservedAnswer> {
    const { method, url, protocol, inbound, client } = step;
    const headers = this.#jars.fields(client, step.headers);
    const { host, pathname, search } = new URL(url);
    const handler = inbound ? this.chassis.inbound : this.chassis.outbound;
    const facts = {
      direction: handler.direction,
      protocol,
      method,
      path: pathname + search,
      authority: host,
      headers: { host, ...headers },
      remoteAddress: this.#remoteAddress(step),
      idempotent: IDEMPOTENT.has(method),
      startedAt: this.ports.clock.now(),
    };
    // Who calls is found out from the address, which a fake call does not do by itself.
    const source = this.chassis.sources
      .map((resolver) => resolver.identify(new FakeCall(facts)))
      .find((identity) => identity !== undefined);
    const call = new FakeCall(source === undefined ? facts : { ...facts, source });
    const answer = await new FakeWire(handler, this.backends, this.ports).exchange(call, step.body, step.abortAfterMs);
    this.#jars.keep(client, answer.headers['set-cookie']);
    return answer;
  }

  #remoteAddress({ from }: RequestSpec): string {
    return from === undefined ? '127.0.0.1' : this.backends.hostOf(from);
  }

  async #change({ files, instances, refused }: ChangeStep): Promise<readonly string[]> {
    const problems: string[] = [];
    if (Object.keys(files).length > 0) {
      const { document, errors, said } = await load(this.catalog, { ...this.files, ...files });
      if ((document === undefined) !== refused) {
        problems.push(refused ? 'the files were expected to be refused' : said(errors).join('\n'));
      } else if (document !== undefined) {
        this.files = { ...this.files, ...files };
        this.chassis.configuration.swap(document);
      }
    }
    this.#publish(instances);
    await drive(this.ports.time, Promise.resolve());
    return problems;
  }

  #publish(instances: ServiceInstances): void {
    this.backends.place(instances);
    this.instances = { ...this.instances, ...instances };
    const all: Instance[] = [];
    for (const [service, specs] of Object.entries(this.instances)) {
      const list = specs.map(({ id, version, app, status, weight, metadata }) => {
        const address = this.backends.addressOf(id);
        const facts = { service, instanceId: id, version, app, weight, metadata, status: status as InstanceStatus };
        return instanceAt({ rest: address, grpc: address }, facts);
      });
      all.push(...list);
      if (Object.hasOwn(instances, service)) this.discovery.publish(service, list);
    }
    this.discovery.publishAll(all);
  }
}

/** Lets fake time go on, from timer to timer, until the promise is settled. */
async function drive<T>(time: FakeTime, work: Promise<T>): Promise<T> {
  let done = false;
  const end = (): void => void (done = true);
  work.then(end, end);
  const giveUpAt = time.now() + LONGEST_STEP_MS;
  for (;;) {
    // A turn of the event loop: whatever promises are ready run to their end.
    await new Promise((resolve) => setImmediate(resolve));
    if (done) return await work;
    const next = time.nextTimerAt;
    if (next === undefined || next > giveUpAt) throw new Error('a call never ends');
    time.advance(next - time.now());
  }
}

/** What a sidecar brings along, as far as core can have it: the host is the service, the caller known by address or header. */
function catalogOf(discovery: ScriptedDiscovery): PluginCatalog {
  const resolve = ({ authority }: { readonly authority: string }): Destination | undefined => {
    const [service = '', port] = authority.split(':');
    return service === '' ? undefined : { service, ...(port === undefined ? {} : { port: Number(port) }) };
  };
  const plugins: AnyPlugin[] = ['host', 'authority', 'ip'].map((name) =>
    definePlugin({ kind: 'destination-resolver', name, create: () => ({ resolve }) }),
  );
  plugins.push(
    definePlugin({
      kind: 'source-resolver',
      name: 'default',
      create: (_config, { ipIndex }) => ({
        identify: (peer) => {
          const instance = ipIndex.byIp(peer.remoteAddress);
          if (instance !== undefined) return { service: instance.service, by: 'ip' };
          const service = peer.header(SOURCE_FIELD);
          return service === undefined ? undefined : { service, by: 'header' };
        },
      }),
    }),
    definePlugin({ kind: 'registry', name: 'scripted', create: () => ({ discovery, registrator: undefined }) }),
  );
  const catalog = new PluginCatalog();
  for (const plugin of plugins) catalog.add(plugin);
  return catalog;
}

function load(catalog: PluginCatalog, files: Readonly<Record<string, string>>): Promise<LoadedFiles> {
  return loadFiles(
    { 'microservice.yaml': 'servicecomb: { service: { name: orders } }\n', ...files },
    {
      sections: { ...CHASSIS_SECTIONS, ...pluginSections(catalog) },
      overrides: { 'servicecomb.registry.type': 'scripted' },
    },
  );
}

async function loadWhole(catalog: PluginCatalog, files: Readonly<Record<string, string>>): Promise<MeshDocument> {
  const { document, errors, said } = await load(catalog, files);
  if (document === undefined) throw new Error(`the configuration does not load:\n${said(errors).join('\n')}`);
  return document;
}
