import { CONFORMANCE_HOSTS, type ConformanceCase, type ConformanceTopic } from './cases.js';

/** The reference page of the conformance table in Markdown: what is promised, by topic. */
export function renderConformanceReference(table: readonly ConformanceTopic[]): string {
  const count = table.reduce((sum, { cases }) => sum + cases.length, 0);
  return [
    '# Conformance',
    '',
    `What Mesher does with calls, in ${count} sentences. Each is a case in \`packages/core/conformance\` with a configuration as users`,
    'write it, instances, requests and what comes of them. The cases run twice: in process, where the chassis decides over fake time, and',
    'through a real sidecar with real connections. Both have to do the same.',
    '',
    ...table.flatMap(renderTopic),
  ].join('\n');
}

function renderTopic({ topic, about, cases }: ConformanceTopic): string[] {
  return [`## ${topic}`, '', about, '', ...cases.map(renderCase), ''];
}

function renderCase({ name, hosts, because }: ConformanceCase): string {
  const only = hosts.length < CONFORMANCE_HOSTS.length ? ` (${hosts.join(', ')} only: ${because ?? ''})` : '';
  // What stands in the sentences is text, and none of it is meant as Markdown.
  return `- ${name.replaceAll(/[\\`*_<>[\]]/g, '\\$&')}${only}`;
}
