import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import type { ExporterSettings, SpanExporter } from '@mesher/core';
import { batchExporter } from './batch-exporter.js';
import { MAX_UNANSWERED } from './unanswered.js';

/** Where a collector listens by default; 127.0.0.1 and not localhost, which may be ::1 first. */
const DEFAULT_URI = 'http://127.0.0.1:4318/v1/traces';

/** @param settings a URI without a path gets that of traces */
export function openOtlp(settings: ExporterSettings): SpanExporter {
  const url = new URL(settings.uri ?? DEFAULT_URI);
  if (url.pathname === '/') url.pathname = '/v1/traces';
  // The library lets go of a batch a little after it has said that it is done: its own bound must be above ours.
  const concurrencyLimit = MAX_UNANSWERED + 1;
  const exporter = new OTLPTraceExporter({ url: url.href, timeoutMillis: settings.timeoutMs, concurrencyLimit });
  return batchExporter(exporter, settings);
}
