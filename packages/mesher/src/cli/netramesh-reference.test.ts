import { NETRAMESH_VARIABLES } from '@mesher/core';
import { expect } from 'chai';
import { readFile } from 'node:fs/promises';
import { renderNetrameshTable } from './netramesh-reference.js';

const GUIDE = new URL('../../../../docs/guides/netramesh.md', import.meta.url);

/** Every variable that netramesh 0.10 reads in internal/config/global.go. */
const THEIRS = [
  ...['NETRA_PORT', 'NETRA_PPROF_PORT', 'NETRA_PROMETHEUS_PORT', 'NETRA_LOGGER_LEVEL', 'NETRA_HTTP_PORTS'],
  ...['NETRA_TRACING_CONTEXT_EXPIRATION_MILLISECONDS', 'NETRA_TRACING_CONTEXT_CLEANUP_INTERVAL'],
  ...['NETRA_ROUTING_CONTEXT_EXPIRATION_MILLISECONDS', 'NETRA_ROUTING_CONTEXT_CLEANUP_INTERVAL'],
  ...['NETRA_STATSD_ENABLED', 'NETRA_STATSD_ADDRESS', 'NETRA_STATSD_PREFIX'],
  ...['HTTP_HEADER_TAG_MAP', 'HTTP_COOKIE_TAG_MAP', 'NETRA_HTTP_REQUEST_ID_HEADER_NAME'],
  ...['NETRA_HTTP_X_SOURCE_HEADER_NAME', 'NETRA_HTTP_X_SOURCE_VALUE', 'NETRA_HTTP_ROUTING_ENABLED'],
  ...['NETRA_HTTP_ROUTING_HEADER_NAME', 'NETRA_HTTP_ROUTING_COOKIE_ENABLED', 'NETRA_HTTP_ROUTING_COOKIE_NAME'],
  'NETRA_HTTP_TRACING_IGNORED_PATHS',
];

/** Of the container that makes the rules. */
const OF_THE_RULES = [
  ...['NETRA_SIDECAR_PORT', 'NETRA_SIDECAR_USER_ID', 'NETRA_SIDECAR_GROUP_ID', 'INBOUND_INTERCEPT_PORTS'],
  ...['OUTBOUND_INTERCEPT_PORTS', 'NETRA_INBOUND_PROBABILITY', 'NETRA_OUTBOUND_PROBABILITY'],
];

describe('the guide for those who come from netramesh', () => {
  it('has the table of variables that the source has, with every one of netramesh', async () => {
    const names = NETRAMESH_VARIABLES.map(({ name }) => name);
    expect(names).to.include.members(THEIRS);
    const cells = (text: string): string[] =>
      text
        .split('\n')
        .filter((line) => line.startsWith('| `'))
        .map((line) => line.replaceAll(/ +/g, ' ').trim());
    const guide = await readFile(GUIDE, 'utf8');
    expect(cells(guide)).to.include.members(cells(renderNetrameshTable()));
    for (const name of OF_THE_RULES) expect(guide).to.contain(`\`${name}\``);
  });
});
