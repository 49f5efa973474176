import { sortProblems, type Problem } from '../config/problem.js';
import { formatHostPort } from '../config/schema/address.js';
import { s } from '../config/schema/combinators.js';
import { ReadContext } from '../config/schema/read-context.js';
import type { Infer } from '../config/schema/schema.js';
import { ConfigNode, insertEntry } from '../config/tree/config-node.js';
import type { ServiceDiscovery, ServiceQuery, ServiceSnapshot } from '../registry/contracts.js';
import { makeInstance, type Instance } from '../registry/instance.js';

const instanceSchema = s.object({
  address: s.address({ required: true, doc: 'Where it listens, `host:port`.' }),
  id: s.string({ doc: 'Its id; the address when left out.' }),
  protocol: s.string({ default: '*', doc: 'What it speaks: rest, h2c (HTTP/2), grpc, or * for anything.' }),
  version: s.string({ default: '0.0.1', doc: 'Version.' }),
  app: s.string({ default: 'default', doc: 'Application.' }),
  status: s.oneOf(['UP', 'DOWN', 'STARTING', 'TESTING', 'OUTOFSERVICE'], { default: 'UP', doc: 'Status.' }),
  weight: s.number({ default: 1, min: 0, doc: 'Weight.' }),
  metadata: s.map(s.string(), { keyName: 'tag', doc: 'Tags.' }),
});

/** Services with their instances, as a user writes them down for a question. */
const instancesSchema = s.map(s.list(instanceSchema), { keyName: 'service' });

export interface GivenInstances {
  readonly instances: ReadonlyMap<string, readonly Instance[]>;
  /** What is wrong with the text; unknown keys count, since nothing would tell of them. */
  readonly problems: readonly Problem[];
}

/**
 * Reads instances by service from a YAML text:
 *
 * ```yaml
 * world:
 *   - { address: 10.0.0.1:8080, version: 1.0.0, metadata: { zone: a } }
 *   - { address: 10.0.0.2:8080, version: 2.0.0, status: DOWN }
 * ```
 *
 * @param file the name that positions carry
 */
export async function readGivenInstances(text: string, file: string): Promise<GivenInstances> {
  // Loaded here: it is a third of the time that importing core takes.
  const { parseYaml } = await import('../config/yaml/parse-yaml.js');
  const parsed = parseYaml(text, file);
  const tree = new ConfigNode({ layer: 'file', file, line: 1, column: 1 });
  for (const entry of parsed.entries) insertEntry(tree, entry);
  const context = new ReadContext();
  const services = instancesSchema.read(tree, '', context);
  const problems = [...parsed.problems, ...context.problems, ...parsed.notices, ...context.notices];
  if (problems.length > 0) return { instances: new Map(), problems: sortProblems(problems) };
  const instances = new Map<string, readonly Instance[]>();
  for (const [service, list] of services) {
    instances.set(
      service,
      list.map((one) => instanceOf(service, one)),
    );
  }
  return { instances, problems };
}

function instanceOf(service: string, given: NonNullable<Infer<typeof instanceSchema>>): Instance {
  const { address, id, protocol, metadata, ...facts } = given;
  return makeInstance({
    service,
    instanceId: id ?? formatHostPort(address),
    ...facts,
    addresses: new Map([[protocol, { ...address, tls: false }]]),
    metadata: Object.fromEntries(metadata),
  });
}

/** A registry that knows what was written down, and nothing changes there. */
export class GivenDiscovery implements ServiceDiscovery {
  /** @param name how explanations call it */
  constructor(
    readonly name: string,
    private readonly instances: ReadonlyMap<string, readonly Instance[]>,
    private readonly now: number,
  ) {}

  async *watch({ service }: ServiceQuery, signal: AbortSignal): AsyncIterable<ServiceSnapshot> {
    const instances = this.instances.get(service);
    yield { service, exists: instances !== undefined, revision: 'given', instances: instances ?? [] };
    await untilAborted(signal);
  }

  async *watchAll(signal: AbortSignal): AsyncIterable<readonly Instance[]> {
    yield [...this.instances.values()].flat();
    await untilAborted(signal);
  }

  state(): ReturnType<ServiceDiscovery['state']> {
    return { freshness: 'fresh', lastSuccessAt: this.now, lastError: undefined, problems: [] };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
