import { isMeshError } from '@mesher/core';
import { preferredType } from './content-negotiation.js';
import { renderIndex } from './index-page.js';
import { errorReply, jsonReply, textReply } from './reply.js';
import type { AdminReply } from './reply.js';
import type { AdminSources, Readiness } from './sources.js';
import { TRANSPARENT_ROUTES } from './transparent-routes.js';

/** What a route may look at. */
export interface AdminRequest {
  /** The Accept field as sent. */
  readonly accept: string | undefined;
  /** The body as text; empty when there is none. */
  readonly body: string;
  /** What follows the question mark of the target; empty when nothing does. */
  readonly query: string;
}

export interface AdminRoute {
  /** GET implies HEAD. */
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** One sentence for the index and the reference. */
  readonly summary: string;
  /** Statuses beside those that every route can answer, with their meaning. */
  readonly statuses: Readonly<Record<number, string>>;
  /** Media types, the default first. */
  readonly types: readonly string[];
  handle(sources: AdminSources, request: AdminRequest): AdminReply | Promise<AdminReply>;
}

const TEXT = 'text/plain';
const JSON_TYPE = 'application/json';
const HTML = 'text/html';

/** Everything that the admin API offers. `docs/reference/admin-api.md`, the index page and the 404 answer are made from it. */
export const ADMIN_ROUTES: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: '/',
    summary: 'This list.',
    statuses: { 200: 'The list.' },
    types: [TEXT, HTML],
    handle: (_, { accept }) => renderIndex(ADMIN_ROUTES, preferredType(accept, [TEXT, HTML])),
  },
  {
    method: 'GET',
    path: '/live',
    summary: 'Whether the process should go on living; for a liveness probe.',
    statuses: { 200: 'It should.', 503: 'It should be restarted; the body gives the reasons.' },
    types: [TEXT, JSON_TYPE],
    handle: (sources, { accept }) => readinessReply(sources.live(), 'live', accept),
  },
  {
    method: 'GET',
    path: '/ready',
    summary:
      'Whether calls can be taken: the registry has answered, the listeners are open, no local health check fails, no drain has begun.',
    statuses: { 200: 'They can.', 503: 'Not now; the body gives the reasons.' },
    types: [TEXT, JSON_TYPE],
    handle: (sources, { accept }) => readinessReply(sources.ready(), 'ready', accept),
  },
  {
    method: 'GET',
    path: '/metrics',
    summary: 'The metrics in the Prometheus text format.',
    statuses: { 200: 'The page.' },
    types: [TEXT],
    handle: metricsReply,
  },
  {
    method: 'GET',
    path: '/services',
    summary:
      'What is known of services: instances, endpoints, how old the knowledge is, and why an endpoint gets no calls.',
    statuses: { 200: 'The view.' },
    types: [JSON_TYPE],
    handle: (sources) => jsonReply(200, sources.services()),
  },
  {
    method: 'GET',
    path: '/pools',
    summary:
      'Connections to instances and to the local application, by address and protocol (`http1`, `http2`): how many, how many of them idle or draining, calls under way, calls that wait.',
    statuses: { 200: 'The view.' },
    types: [JSON_TYPE],
    handle: (sources) => jsonReply(200, sources.pools()),
  },
  {
    method: 'GET',
    path: '/config',
    summary:
      'The configuration in effect: its hash, since when, where from, each key with its origin and secrets masked; what was refused and why; what needs a restart.',
    statuses: { 200: 'The configuration.' },
    types: [JSON_TYPE],
    handle: (sources) => jsonReply(200, sources.config()),
  },
  {
    method: 'POST',
    path: '/drain',
    summary:
      'Starts a drain: leave the registry, take no new inbound calls, finish those in flight; then the process ends with status 0. Repeating it does no harm.',
    statuses: { 202: 'The drain has begun, now or before.' },
    types: [JSON_TYPE],
    handle: drainReply,
  },
  {
    method: 'POST',
    path: '/v1/mesher/explain',
    summary:
      'What would become of a call, decision by decision, and why; nothing is sent or counted. The body is JSON: `url`, and if need be `method`, `headers`, `direction` (`outbound` or `inbound`), `protocol` (`http`, `grpc` or `tcp`), `source`, `remoteAddress`, `watch` (asks the registry about a service that nobody has called yet).',
    statuses: {
      200: 'The decisions; `sent` says whether an attempt would be made, `answer` what the caller would get if not. Credentials of the request are masked.',
      400: 'The body is no such request.',
    },
    types: [JSON_TYPE],
    handle: explainReply,
  },
  ...TRANSPARENT_ROUTES,
  {
    method: 'GET',
    path: '/v1/mesher/version',
    summary: 'Versions of Mesher and Node.js; path of the original mesher.',
    statuses: { 200: 'The versions; `commit` and `built` are empty when unknown.' },
    types: [JSON_TYPE],
    handle: versionReply,
  },
  {
    method: 'GET',
    path: '/v1/mesher/metrics',
    summary: 'The same as /metrics; path of the original mesher.',
    statuses: { 200: 'The page.' },
    types: [TEXT],
    handle: metricsReply,
  },
  {
    method: 'GET',
    path: '/v1/mesher/health',
    summary:
      'Health in the shape of the original mesher: whether the application takes calls, as `localHealthCheck` says; `checks` lists what each check saw.',
    statuses: { 200: '`status` is `green`.', 500: '`status` is `red`; `error` says why.' },
    types: [JSON_TYPE],
    handle: healthReply,
  },
];

function readinessReply({ ready, reasons }: Readiness, word: string, accept: string | undefined): AdminReply {
  const status = ready ? 200 : 503;
  if (preferredType(accept, [TEXT, JSON_TYPE]) === JSON_TYPE) return jsonReply(status, { [word]: ready, reasons });
  return textReply(status, ready ? word : [`not ${word}:`, ...reasons.map((reason) => `- ${reason}`)].join('\n'));
}

async function metricsReply(sources: AdminSources): Promise<AdminReply> {
  const { contentType, body } = await sources.metrics();
  return { status: 200, contentType, body };
}

async function explainReply(sources: AdminSources, { body }: AdminRequest): Promise<AdminReply> {
  try {
    return jsonReply(200, await sources.explain(JSON.parse(body)));
  } catch (error) {
    const isMistake = error instanceof SyntaxError || isMeshError(error, 'MESH_ERR_EXPLAIN_REQUEST');
    if (!isMistake) throw error;
    const hint = 'Send JSON such as {"url":"http://world/v2","headers":{"x-user":"1"}}.';
    return errorReply(400, 'BAD_REQUEST', error.message, hint);
  }
}

function drainReply(sources: AdminSources): AdminReply {
  sources.drain();
  return jsonReply(202, { status: 'draining' });
}

function versionReply(sources: AdminSources): AdminReply {
  const { version, commit = '', built = '', node } = sources.version();
  return jsonReply(200, { version, commit, built, node });
}

function healthReply(sources: AdminSources): AdminReply {
  const { serviceName, version, status, error = '', checks } = sources.health();
  // The original shows `connectedMonitoring: false` always; it has no monitoring server to connect to.
  return jsonReply(status === 'green' ? 200 : 500, {
    serviceName,
    version,
    status,
    connectedMonitoring: false,
    error,
    checks,
  });
}
