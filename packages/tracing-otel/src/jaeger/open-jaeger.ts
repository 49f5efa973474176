import type { ExporterSettings, SpanExporter } from '@mesher/core';
import { AgentExporter } from './agent-exporter.js';
import { CollectorExporter } from './collector-exporter.js';

/** Where agents of Jaeger take spans over UDP in Thrift's compact protocol. */
export const AGENT_PORT = 6831;
const DEFAULT_URI = `udp://127.0.0.1:${AGENT_PORT}`;
/** Where collectors take spans in Thrift over HTTP. */
const COLLECTOR_PATH = '/api/traces';

/** @param settings `udp://host:6831` is an agent, `http://host:14268/api/traces` a collector; an agent on this host without a URI */
export function openJaeger(settings: ExporterSettings): SpanExporter {
  const url = new URL(settings.uri ?? DEFAULT_URI);
  if (url.protocol === 'udp:') {
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
    return new AgentExporter({ host, port: url.port === '' ? AGENT_PORT : Number(url.port) }, settings);
  }
  if (url.pathname === '/') url.pathname = COLLECTOR_PATH;
  return new CollectorExporter(url, settings);
}
