import type { CollectedSpan } from './collector-double.js';

// https://zipkin.io/zipkin-api/#/default/post_spans
interface ZipkinSpan {
  readonly traceId: string;
  readonly id: string;
  readonly parentId?: string;
  readonly name: string;
  readonly kind: string;
  readonly timestamp: number;
  readonly duration: number;
  readonly localEndpoint: { readonly serviceName: string };
  readonly tags: Readonly<Record<string, string>>;
  readonly annotations?: readonly { readonly value: string }[];
}

/** The spans of a batch of Zipkin. */
export function readZipkin(body: unknown): CollectedSpan[] {
  return (body as readonly ZipkinSpan[]).map((span) => ({
    traceId: span.traceId,
    spanId: span.id,
    parentSpanId: span.parentId ?? '',
    kind: span.kind.toLowerCase(),
    name: span.name,
    service: span.localEndpoint.serviceName,
    tags: span.tags,
    events: (span.annotations ?? []).map(({ value }) => value),
    // It is there or not, whatever it says.
    isError: 'error' in span.tags,
    startUs: span.timestamp,
    durationUs: span.duration,
  }));
}
