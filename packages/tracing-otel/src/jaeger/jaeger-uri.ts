import type { ExporterSettings } from '@mesher/core';

/** What is wrong with the place, or undefined. */
export function checkJaegerUri({ uri }: Pick<ExporterSettings, 'uri'>): string | undefined {
  if (uri === undefined) return undefined;
  if (!URL.canParse(uri)) return `the URI '${uri}' is none of udp, http or https`;
  const { protocol, hostname } = new URL(uri);
  if (protocol === 'udp:') return hostname === '' ? `the URI '${uri}' has no host` : undefined;
  return protocol === 'http:' || protocol === 'https:' ? undefined : `the URI '${uri}' is none of udp, http or https`;
}
