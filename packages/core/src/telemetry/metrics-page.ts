import type { Metric, Registry } from 'prom-client';
import { MeshError } from '../errors.js';
import type { MetricDefinition, MetricFamily, Sample } from './metric-family.js';
import { silentLogger } from './logger.js';
import type { Logger } from './logger.js';

/** A rendered page. */
export interface MetricsText {
  /** Names the version of the text format; Prometheus 3 refuses a page without it. */
  readonly contentType: string;
  readonly body: string;
}

type RegistryClass = new () => Registry;

/** Samples printed in one go before the event loop gets a turn; see the portions of the call families. */
const SAMPLES_PER_TURN = 1000;

/** What prom-client asks of a metric when it prints it. */
interface PrintableMetric {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly aggregator: 'sum';
  readonly values: readonly Sample[];
}

/**
 * The Prometheus page of one chassis. It owns a prom-client registry (never the global one), which is loaded and filled at the first
 * scrape; the numbers are read from where they were counted, at each scrape.
 *
 * prom-client prints a whole metric in one go, which with 500 services would hold the event loop for a tenth of a second. So
 * {@link render} hands it a large family in portions, each through a registry of its own, and lets the loop turn in between.
 */
export class MetricsPage {
  readonly #families: ReadonlyMap<string, MetricFamily>;
  readonly #logger: Logger;
  #loading: Promise<RegistryClass> | undefined;
  #registry: Promise<Registry> | undefined;
  #rendering: Promise<MetricsText> | undefined;

  /**
   * @param families see `metricFamilies()`
   * @param logger hears of a family that could not be read; such a family is left out of the page
   * @throws MeshError `MESH_ERR_DUPLICATE_METRIC` when two families have the same name
   */
  constructor(families: readonly MetricFamily[], logger: Logger = silentLogger()) {
    this.#logger = logger;
    const byName = new Map<string, MetricFamily>();
    for (const family of families) {
      const { name } = family.definition;
      if (byName.has(name)) {
        throw new MeshError('MESH_ERR_DUPLICATE_METRIC', `two metrics are called ${name}; rename one of them`);
      }
      byName.set(name, family);
    }
    this.#families = byName;
  }

  /**
   * The registry that holds all families, for an application that shows them on its own page (`Registry.merge`) or adds metrics
   * of its own, which {@link render} then prints too. Loads prom-client.
   */
  registry(): Promise<Registry> {
    this.#registry ??= this.#load().then((RegistryOfChassis) => {
      const registry = new RegistryOfChassis();
      for (const family of this.#families.values()) registry.registerMetric(new RegisteredFamily(family).asMetric());
      return registry;
    });
    return this.#registry;
  }

  /** The page at this moment. Scrapes that overlap share one page. */
  render(): Promise<MetricsText> {
    this.#rendering ??= this.#render().finally(() => {
      this.#rendering = undefined;
    });
    return this.#rendering;
  }

  async #render(): Promise<MetricsText> {
    const registry = await this.registry();
    const parts: string[] = [];
    for (const { name } of registry.getMetricsAsArray()) {
      const family = this.#families.get(name);
      try {
        parts.push(family === undefined ? await registry.getSingleMetricAsString(name) : await this.#print(family));
      } catch (error) {
        this.#logger.warn({ metric: name, error }, 'a metric could not be read and is missing from the metrics page');
      }
      await nextTurn();
    }
    return { contentType: registry.contentType, body: `${parts.join('\n\n')}\n` };
  }

  async #print(family: MetricFamily): Promise<string> {
    const RegistryOfSlice = await this.#load();
    const parts: string[] = [];
    let printed = 0;
    for await (const samples of family.slices()) {
      const registry = new RegistryOfSlice();
      registry.registerMetric(new RegisteredSlice(family.definition, samples).asMetric());
      const text = await registry.getSingleMetricAsString(family.definition.name);
      if (parts.length === 0) parts.push(text);
      else if (samples.length > 0) parts.push(withoutHeader(text));
      printed += samples.length;
      if (printed < SAMPLES_PER_TURN) continue;
      printed = 0;
      await nextTurn();
    }
    return parts.join('\n');
  }

  /**
   * Loads the registry class alone: the whole of prom-client with its default metrics, cluster support and OpenTelemetry
   * interface costs 11 MB and blocks for 25 ms, the registry 1 MB and 4 ms. It is the same class that `prom-client` exports.
   */
  #load(): Promise<RegistryClass> {
    this.#loading ??= import('prom-client/lib/registry.js').then((module) => module.default);
    return this.#loading;
  }
}

/** One portion of a family, as a metric. */
class RegisteredSlice {
  readonly name: string;

  constructor(
    private readonly definition: MetricDefinition,
    private readonly samples: readonly Sample[],
  ) {
    this.name = definition.name;
  }

  getForPromString(): Promise<PrintableMetric> {
    return Promise.resolve(printable(this.definition, this.samples));
  }

  /** prom-client's types know only its own four classes; its registry needs no more than a name and a way to get the values. */
  asMetric(): Metric {
    return this as unknown as Metric;
  }
}

/** A whole family, as a metric. */
class RegisteredFamily {
  readonly name: string;
  readonly help: string;
  readonly type: string;

  constructor(private readonly family: MetricFamily) {
    ({ name: this.name, help: this.help, type: this.type } = family.definition);
  }

  /** For the text page: labels that are shared stay apart. */
  async getForPromString(): Promise<PrintableMetric> {
    const samples: Sample[] = [];
    for await (const slice of this.family.slices()) samples.push(...slice);
    return printable(this.family.definition, samples);
  }

  /** For `getMetricsAsJSON()`: every sample with all its labels. */
  async get(): Promise<PrintableMetric> {
    const { values, ...rest } = await this.getForPromString();
    return {
      ...rest,
      values: values.map(({ sharedLabels, labels, ...sample }) => ({
        ...sample,
        labels: { ...labels, ...sharedLabels },
      })),
    };
  }

  /** `registry.resetMetrics()` is for tests of applications; what Mesher counted stays. */
  reset(): void {}

  asMetric(): Metric {
    return this as unknown as Metric;
  }
}

function printable(definition: MetricDefinition, values: readonly Sample[]): PrintableMetric {
  return { name: definition.name, help: definition.help, type: definition.type, aggregator: 'sum', values };
}

/** The lines after `# HELP` and `# TYPE`. */
function withoutHeader(text: string): string {
  return text.slice(text.indexOf('\n', text.indexOf('\n') + 1) + 1);
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
