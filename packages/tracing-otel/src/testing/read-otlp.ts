import type { CollectedSpan } from './collector-double.js';

// https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
interface Attribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly Attribute[];
  readonly events: readonly { readonly name: string }[];
  readonly status: { readonly code?: number };
}

interface OtlpBatch {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
  }[];
}

const KINDS: Readonly<Record<number, string>> = { 2: 'server', 3: 'client' };
const ERROR = 2;

/** The spans of a batch of OTLP. */
export function readOtlp(body: unknown): CollectedSpan[] {
  return (body as OtlpBatch).resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const shared = tagsOf(resource.attributes);
    return scopeSpans.flatMap(({ spans }) => spans.map((span) => collected(span, shared)));
  });
}

function collected(span: OtlpSpan, shared: Readonly<Record<string, string>>): CollectedSpan {
  const { traceId, spanId, parentSpanId = '', name, kind, attributes, events, status } = span;
  const startUs = Number(BigInt(span.startTimeUnixNano) / 1000n);
  return {
    ...{ traceId, spanId, parentSpanId, name, startUs },
    kind: KINDS[kind] ?? String(kind),
    service: shared['service.name'] ?? '',
    tags: { ...shared, ...tagsOf(attributes) },
    events: events.map((event) => event.name),
    isError: status.code === ERROR,
    durationUs: Number(BigInt(span.endTimeUnixNano) / 1000n) - startUs,
  };
}

function tagsOf(attributes: readonly Attribute[]): Record<string, string> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, String(Object.values(value)[0])]));
}
