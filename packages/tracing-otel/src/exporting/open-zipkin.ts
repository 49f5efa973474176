import { ZipkinExporter } from '@opentelemetry/exporter-zipkin';
import type { ExporterSettings, SpanExporter } from '@mesher/core';
import { batchExporter } from './batch-exporter.js';

const DEFAULT_URI = 'http://127.0.0.1:9411/api/v2/spans';

/** @param settings a URI without a path, as go-chassis has it, gets that of version 2 */
export function openZipkin(settings: ExporterSettings): SpanExporter {
  const url = new URL(settings.uri ?? DEFAULT_URI);
  if (url.pathname === '/') url.pathname = '/api/v2/spans';
  return batchExporter(new ZipkinExporter({ url: url.href, serviceName: settings.service }), settings);
}
