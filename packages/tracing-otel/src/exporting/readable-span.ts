import { SpanKind, SpanStatusCode, TraceFlags, type HrTime, type SpanContext } from '@opentelemetry/api';
import { TraceState, type InstrumentationScope } from '@opentelemetry/core';
import { resourceFromAttributes, type Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import type { ExporterSettings, SpanRecord } from '@mesher/core';

const SCOPE: InstrumentationScope = { name: 'mesher' };
const KINDS = { server: SpanKind.SERVER, client: SpanKind.CLIENT } as const;

/** What stands for this process in the data of OpenTelemetry. */
export function resourceOf({ service, tags }: Pick<ExporterSettings, 'service' | 'tags'>): Resource {
  return resourceFromAttributes({ ...Object.fromEntries(tags), 'service.name': service });
}

/** A span in the form in which the exporters of OpenTelemetry take it. */
export function readableSpan(record: SpanRecord, resource: Resource): ReadableSpan {
  const { traceId, spanId, parentSpanId, tracestate, name, kind, startMs, durationMs, tags, events, error } = record;
  const contextOf = (id: string, state?: string): SpanContext => ({
    traceId,
    spanId: id,
    traceFlags: TraceFlags.SAMPLED,
    ...(state === undefined ? {} : { traceState: new TraceState(state) }),
  });
  const context = contextOf(spanId, tracestate);
  return {
    name,
    kind: KINDS[kind],
    spanContext: () => context,
    ...(parentSpanId === undefined ? {} : { parentSpanContext: { ...contextOf(parentSpanId), isRemote: true } }),
    startTime: hrTime(startMs),
    endTime: hrTime(startMs + durationMs),
    duration: hrTime(durationMs),
    ended: true,
    status: error === undefined ? { code: SpanStatusCode.UNSET } : { code: SpanStatusCode.ERROR, message: error },
    attributes: tags,
    links: [],
    events: events.map((event) => ({ name: event.name, time: hrTime(event.timeMs), attributes: event.tags })),
    resource,
    instrumentationScope: SCOPE,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

/**
 * Seconds and nanoseconds, of milliseconds with a fraction; whole microseconds, which is what milliseconds since 1970 can hold. The library
 * for Zipkin sends what is left of one, and Jaeger refuses the whole batch for it.
 */
export function hrTime(ms: number): HrTime {
  const micros = Math.round(ms * 1_000);
  const seconds = Math.floor(micros / 1_000_000);
  return [seconds, (micros - seconds * 1_000_000) * 1_000];
}
