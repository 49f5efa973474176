import { METRICS, type Labels, type MetricDefinition } from '@mesher/core';

/** How labels become part of what is sent. */
export type TagStyle = 'none' | 'dogstatsd';

/** A name, and the end of the line that carries its tags. */
export interface StatName {
  readonly name: string;
  /** Empty, or `|#direction:outbound,service:orders`. */
  readonly tags: string;
}

/** What a server could take for something else than a part of a name: dots divide, `:|@#` have a meaning, the rest is unusual. */
const NOT_IN_NAMES = /[^A-Za-z0-9_-]/g;
/** As Datadog reads tags: commas divide, and the bar ends them. */

const NOT_IN_TAGS = /[\x00-\x20|,#@]/g;

const NO_VALUE = 'none';

/**
 * Names of StatsD for series of the metrics page: the name there without `mesher_` and `_total`, then the values of its labels, in the
 * order of the metrics reference. `mesher_requests_total{direction="outbound",service="orders",status_class="2xx"}` is
 * `requests.outbound.orders.2xx`, or with tags `requests|#direction:outbound,service:orders,status_class:2xx`.
 */
export class StatNames {
  readonly #start: string;

  /** @param prefix what all names begin with; a dot follows unless it is empty or ends with one */
  constructor(
    prefix: string,
    private readonly style: TagStyle,
  ) {
    this.#start = prefix === '' || prefix.endsWith('.') ? prefix : `${prefix}.`;
  }

  of(definition: MetricDefinition, labels: Labels): StatName {
    const values = definition.labels.map((name) => String(labels[name] ?? ''));
    // As netramesh has it, whatever the style: `inbound.200`.
    if (definition === METRICS.responses) return { name: `${this.#start}${values.join('.')}`, tags: '' };
    const stem = `${this.#start}${stemOf(definition)}`;
    if (values.length === 0) return { name: stem, tags: '' };
    if (this.style === 'none') return { name: `${stem}.${values.map(namePart).join('.')}`, tags: '' };
    const tags = definition.labels.map((name, index) => `${name}:${tagValue(values[index] ?? '')}`);
    return { name: stem, tags: `|#${tags.join(',')}` };
  }
}

/** Timers are in milliseconds, whatever the page has: their unit leaves the name. */
function stemOf({ name, type }: MetricDefinition): string {
  const stem = name.replace(/^mesher_/, '').replace(/_total$/, '');
  return type === 'histogram' ? stem.replace(/_seconds$/, '') : stem;
}

function namePart(value: string): string {
  return value === '' ? NO_VALUE : value.replace(NOT_IN_NAMES, '_');
}

function tagValue(value: string): string {
  return value === '' ? NO_VALUE : value.replace(NOT_IN_TAGS, '_');
}
