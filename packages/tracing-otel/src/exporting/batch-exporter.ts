import { ExportResultCode } from '@opentelemetry/core';
import type { SpanExporter as OtelExporter } from '@opentelemetry/sdk-trace-base';
import type { ExporterSettings, SpanExporter, SpanRecord } from '@mesher/core';
import { readableSpan, resourceOf } from './readable-span.js';
import { MAX_UNANSWERED } from './unanswered.js';

/** Makes an exporter of Mesher of one of OpenTelemetry. */
export function batchExporter(inner: OtelExporter, settings: Pick<ExporterSettings, 'service' | 'tags'>): SpanExporter {
  const resource = resourceOf(settings);
  let unanswered = 0;
  return {
    export: (spans: readonly SpanRecord[]) =>
      new Promise((resolve, reject) => {
        if (unanswered >= MAX_UNANSWERED) {
          reject(new Error('the collector takes spans and does not answer'));
          return;
        }
        unanswered++;
        const batch = spans.map((span) => readableSpan(span, resource));
        inner.export(batch, ({ code, error }) => {
          unanswered--;
          if (code === ExportResultCode.SUCCESS) resolve();
          else reject(error ?? new Error('the collector did not take the spans'));
        });
      }),
    close: () => inner.shutdown(),
  };
}
