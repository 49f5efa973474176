import { grpcStatusName } from '../../grpc/status.js';
import type { Invocation, Outcome } from '../../invocation.js';
import { JAEGER_DEBUG_FIELD } from './formats/jaeger.js';
import { keptText } from './kept-text.js';
import type { SpanEvent, TagValue } from './span-record.js';
import type { OpenSpan } from './call-trace.js';

type Tags = Record<string, TagValue>;

/** Longest value of a tag that comes from a caller, in characters. */
const MAX_VALUE = 1_024;
/** gRPC statuses by which a server says that it failed, not its caller (semantic conventions of OpenTelemetry for gRPC). */
const SERVER_FAULTS: ReadonlySet<number> = new Set([2, 4, 12, 13, 14, 15]);
const FIRST_SERVER_FAULT = 500;
const TIMEOUTS: ReadonlySet<string> = new Set(['MESH_ERR_TIMEOUT', 'MESH_ERR_TRY_TIMEOUT', 'MESH_ERR_REQUEST_TIMEOUT']);

/** A comma may stand in a cookie; it parts two fields of cookies only where another one begins. */
const BETWEEN_COOKIES = /;|, (?=[^=;, ]+=)/;

/** Which fields and cookies of requests become tags. */
export interface TagMaps {
  /** Name of the tag by name of the field in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly cookies: ReadonlyMap<string, string>;
}

/**
 * What is known when a call begins. Names are those of netramesh, which OpenTracing had, and those of OpenTelemetry. The query is left
 * out: it is where secrets stand. The head may be gone when the call ends, so all of it is read here.
 */
export function tagsOfRequest(call: Invocation, maps: TagMaps): Tags {
  const { authority, method, protocol, direction } = call;
  const service = call.destination?.service;
  const tags: Tags = { 'mesher.direction': direction };
  if (direction === 'outbound') {
    if (service !== undefined) tags['peer.service'] = service;
  } else if (call.remoteAddress !== '') {
    tags['client.address'] = call.remoteAddress;
    tags['remote_addr'] = call.remoteAddress;
  }
  if (protocol === 'tcp') return tags;
  const path = cut(call.path, endOfPath(call.path));
  tags['http.request.method'] = tags['http.method'] = cut(method);
  tags['url.path'] = tags['http.path'] = path;
  tags['server.address'] = tags['http.host'] = cut(authority);
  if (protocol === 'grpc') {
    const slash = path.lastIndexOf('/');
    tags['rpc.system'] = 'grpc';
    tags['rpc.service'] = path.slice(1, Math.max(1, slash));
    tags['rpc.method'] = path.slice(slash + 1);
  }
  const agent = call.header('user-agent');
  if (agent !== undefined) tags['user_agent.original'] = tags['http.user_agent'] = cut(agent);
  const requestId = call.requestId ?? call.header(call.requestIdField);
  if (requestId !== undefined) tags['http.request_id'] = cut(requestId);
  const debugId = call.header(JAEGER_DEBUG_FIELD);
  if (debugId !== undefined) tags[JAEGER_DEBUG_FIELD] = cut(debugId);
  addMapped(call, maps, tags);
  return tags;
}

function addMapped(call: Invocation, { headers, cookies }: TagMaps, tags: Tags): void {
  for (const [name, tag] of headers) {
    const value = call.header(name);
    if (value !== undefined) tags[tag] = cut(value);
  }
  if (cookies.size === 0) return;
  const crumbs = call.header('cookie') ?? '';
  for (const pair of crumbs.split(BETWEEN_COOKIES)) {
    const equals = pair.indexOf('=');
    const tag = equals < 0 ? undefined : cookies.get(pair.slice(0, equals).trim());
    if (tag !== undefined) tags[tag] = keptText(pair.slice(equals + 1).trim(), MAX_VALUE);
  }
}

/**
 * Adds what is known when a call has ended.
 * @returns why it counts as failed, or undefined
 */
export function finishTags(call: Invocation, span: OpenSpan, outcome: Outcome): string | undefined {
  const { tags } = span;
  const { status, code, aborted, grpcStatus } = outcome;
  const { endpoint } = call;
  if (endpoint !== undefined) {
    tags['network.peer.address'] = endpoint.key;
    if (call.direction === 'outbound') tags['remote_addr'] = endpoint.key;
  }
  tags['http.request.body.size'] = tags['http.request_size'] = call.requestBytes;
  tags['http.response.body.size'] = tags['http.response_size'] = call.responseBytes;
  if (status !== 0) tags['http.response.status_code'] = tags['http.status_code'] = status;
  if (grpcStatus !== undefined) tags['rpc.grpc.status_code'] = grpcStatus;
  if (span.attempts.length > 1) tags['http.request.resend_count'] = span.attempts.length - 1;
  if (code !== undefined) {
    tags['mesher.error'] = code;
    if (TIMEOUTS.has(code)) tags['timeout'] = true;
  }
  if (aborted) tags['mesher.aborted'] = true;
  const error = failureOf(call, outcome);
  if (error !== undefined) {
    tags['error'] = true;
    tags['error.type'] = error;
  }
  return error;
}

/** A caller that left is nobody's failure. */
function failureOf(call: Invocation, { status, code, aborted, grpcStatus }: Outcome): string | undefined {
  if (aborted) return undefined;
  if (grpcStatus !== undefined && grpcStatus !== 0) {
    const isFailure = call.direction === 'outbound' || SERVER_FAULTS.has(grpcStatus);
    return isFailure ? grpcStatusName(grpcStatus) : undefined;
  }
  if (status >= FIRST_SERVER_FAULT) return code ?? String(status);
  // Without a status the exchange broke; with one below 500, Mesher has refused what the caller did wrong.
  return status === 0 || call.protocol === 'grpc' ? code : undefined;
}

/** One event for each attempt of a call that took several. @param offset what makes milliseconds since 1970 of monotonic ones */
export function attemptEvents(call: Invocation, { attempts }: OpenSpan, outcome: Outcome, offset: number): SpanEvent[] {
  if (attempts.length < 2) return [];
  const endedAt = call.startedAt + outcome.durationMs;
  return attempts.map((note, index) => {
    const isLast = note.outcome === undefined && note.endpoint === call.endpoint;
    return {
      name: 'attempt',
      timeMs: note.startedAt + offset,
      tags: {
        attempt: index + 1,
        endpoint: note.endpoint.key,
        ...resultOf(isLast ? { ...outcome, durationMs: endedAt - note.startedAt } : note.outcome),
      },
    };
  });
}

/** @param outcome undefined for an attempt that was given up when another one had won */
function resultOf(outcome: Outcome | undefined): Tags {
  if (outcome === undefined || outcome.aborted) return { result: 'given up' };
  const { status, code, grpcStatus, durationMs } = outcome;
  const grpc = grpcStatus === undefined ? undefined : grpcStatusName(grpcStatus);
  return { result: code ?? grpc ?? String(status), duration_ms: Math.max(0, durationMs) };
}

/** Where the query begins, if there is one. */
function endOfPath(path: string): number {
  const query = path.indexOf('?');
  return query < 0 ? path.length : query;
}

/** @param end of the part that is wanted */
function cut(text: string, end = text.length): string {
  if (text.length > MAX_VALUE) return keptText(text, Math.min(end, MAX_VALUE));
  return end === text.length ? text : text.slice(0, end);
}
