import { definePlugin, type ExporterSettings, type PluginDefinition, type SpanExporterFactory } from '@mesher/core';
import { checkJaegerUri } from './jaeger/jaeger-uri.js';

/** Only HTTP is spoken: what else a user may have in mind is told instead of failing with each batch. */
function checkUri({ uri }: Pick<ExporterSettings, 'uri'>): string | undefined {
  if (uri === undefined) return undefined;
  const protocol = URL.canParse(uri) ? new URL(uri).protocol : '';
  return protocol === 'http:' || protocol === 'https:' ? undefined : `the URI '${uri}' is none of http or https`;
}

/** OTLP over HTTP with JSON, which OpenTelemetry collectors, Jaeger and most vendors take. The library is loaded where it is the tracer. */
export const otlpExporter: PluginDefinition<'span-exporter', undefined> = definePlugin({
  kind: 'span-exporter',
  name: 'otlp',
  create: (): SpanExporterFactory => ({
    check: checkUri,
    open: async (settings) => (await import('./exporting/open-otlp.js')).openOtlp(settings),
  }),
});

/** Zipkin's API, version 2. The library is loaded where it is the tracer. */
export const zipkinExporter: PluginDefinition<'span-exporter', undefined> = definePlugin({
  kind: 'span-exporter',
  name: 'zipkin',
  create: (): SpanExporterFactory => ({
    check: checkUri,
    open: async (settings) => (await import('./exporting/open-zipkin.js')).openZipkin(settings),
  }),
});

/** Agents of Jaeger over UDP, and its collectors over HTTP, both in Thrift: what its clients, and netramesh, spoke. */
export const jaegerExporter: PluginDefinition<'span-exporter', undefined> = definePlugin({
  kind: 'span-exporter',
  name: 'jaeger',
  create: (): SpanExporterFactory => ({
    check: checkJaegerUri,
    open: async (settings) => (await import('./jaeger/open-jaeger.js')).openJaeger(settings),
  }),
});
