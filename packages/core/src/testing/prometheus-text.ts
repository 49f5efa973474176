/** One line of the text format. */
export interface PrometheusSample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

export interface PrometheusFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly PrometheusSample[];
}

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const VALUE = /^(?:NaN|[+-]Inf|[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)$/i;
const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  counter: [''],
  gauge: [''],
  histogram: ['_bucket', '_sum', '_count'],
  summary: ['', '_sum', '_count'],
};

/**
 * Parses version 0.0.4 of the Prometheus text format, more strictly than Prometheus does: every family needs `# HELP` and `# TYPE`
 * before its samples and stands in one place, no series occurs twice, values are written canonically, the page ends with a newline.
 * Source: https://prometheus.io/docs/instrumenting/exposition_formats/
 * @throws Error with the line number and the rule that was broken
 */
export function parsePrometheusText(text: string): ReadonlyMap<string, PrometheusFamily> {
  if (!text.endsWith('\n')) throw new Error('the page does not end with a newline');
  const families = new Map<string, { name: string; type: string; help: string; samples: PrometheusSample[] }>();
  const series = new Set<string>();
  let help: { name: string; text: string } | undefined;
  let current: { name: string; type: string; help: string; samples: PrometheusSample[] } | undefined;
  for (const [index, line] of text.slice(0, -1).split('\n').entries()) {
    const refuse = (rule: string): Error => new Error(`line ${index + 1}: ${rule}: ${line}`);
    if (line === '') continue;
    const header = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line);
    if (header) {
      const [, keyword, name = '', rest = ''] = header;
      if (!METRIC_NAME.test(name)) throw refuse('bad metric name');
      if (families.has(name)) throw refuse('a family occurs twice');
      if (keyword === 'HELP') {
        help = { name, text: rest };
        continue;
      }
      if (help?.name !== name) throw refuse('TYPE does not follow the HELP of the same name');
      if (SUFFIXES[rest] === undefined) throw refuse('unknown type');
      current = { name, type: rest, help: help.text, samples: [] };
      families.set(name, current);
      continue;
    }
    if (line.startsWith('#')) throw refuse('a comment that is neither HELP nor TYPE');
    const sample = parseSample(line, refuse);
    const family = current;
    if (family === undefined || !SUFFIXES[family.type]?.some((suffix) => sample.name === family.name + suffix)) {
      throw refuse('a sample outside of its family');
    }
    const identity = `${sample.name}${JSON.stringify([...sample.labels].sort())}`;
    if (series.has(identity)) throw refuse('a series occurs twice');
    series.add(identity);
    family.samples.push(sample);
  }
  return families;
}

function parseSample(line: string, refuse: (rule: string) => Error): PrometheusSample {
  const name = /^[^\s{]+/.exec(line)?.[0] ?? '';
  if (!METRIC_NAME.test(name)) throw refuse('bad metric name');
  const labels = new Map<string, string>();
  let rest = line.slice(name.length);
  if (rest.startsWith('{')) {
    rest = rest.slice(1);
    while (!rest.startsWith('}')) {
      const label = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\["\\n])*)"(,(?=[a-zA-Z_])|(?=\}))/.exec(rest);
      if (label === null) throw refuse('bad label');
      const [all, key = '', value = ''] = label;
      if (labels.has(key)) throw refuse('a label occurs twice');
      labels.set(
        key,
        value.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped)),
      );
      rest = rest.slice(all.length);
    }
    rest = rest.slice(1);
  }
  const value = /^ (\S+)$/.exec(rest)?.[1];
  if (value === undefined || !VALUE.test(value)) throw refuse('bad value');
  return {
    name,
    labels,
    value: value.endsWith('Inf') ? (value.startsWith('-') ? -Infinity : Infinity) : Number(value),
  };
}
