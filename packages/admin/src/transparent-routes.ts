import { isMeshError } from '@mesher/core';
import { errorReply, jsonReply } from './reply.js';
import type { AdminReply } from './reply.js';
import type { AdminRequest, AdminRoute } from './routes.js';
import type { AdminSources } from './sources.js';
import type { TransparentSources } from './transparent-sources.js';

const JSON_TYPE = 'application/json';
const NOT_TRANSPARENT = 'This sidecar is not in transparent mode.';

/** What is shown of the transparent mode. */
export const TRANSPARENT_ROUTES: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: '/v1/mesher/transparent',
    summary:
      'The transparent mode: its listener, the settings in force, and the original destinations in use with what they speak, what became of their connections, and the last error.',
    statuses: { 200: 'The view.', 404: NOT_TRANSPARENT },
    types: [JSON_TYPE],
    handle: (sources) => replyOf(sources, (transparent) => transparent.view()),
  },
  {
    method: 'GET',
    path: '/v1/mesher/transparent/connections',
    summary:
      'The last connections that rules brought (`transparent.recentConnections`), the newest first: original destination, what the client spoke and named, verdict and reason, bytes, duration, and how each ended.',
    statuses: { 200: 'The list.', 404: NOT_TRANSPARENT },
    types: [JSON_TYPE],
    handle: (sources) => replyOf(sources, (transparent) => ({ connections: transparent.connections() })),
  },
  {
    method: 'GET',
    path: '/v1/mesher/transparent/explain',
    summary:
      'What would become of a connection, decision by decision, and why; nothing is dialled or counted. The query: `address`, `port`, and if need be `protocol` (`http1`, `http2`, `tls` or `tcp`) and `host`, which the client names.',
    statuses: { 200: 'The decisions.', 400: 'The query is no such question.', 404: NOT_TRANSPARENT },
    types: [JSON_TYPE],
    handle: explainReply,
  },
];

function explainReply(sources: AdminSources, { query }: AdminRequest): AdminReply {
  try {
    return replyOf(sources, (transparent) => transparent.explain(new URLSearchParams(query)));
  } catch (error) {
    if (!isMeshError(error, 'MESH_ERR_EXPLAIN_REQUEST')) throw error;
    return errorReply(400, 'BAD_REQUEST', error.message, 'Ask such as ?address=10.0.0.2&port=80&host=shop.');
  }
}

function replyOf(sources: AdminSources, show: (transparent: TransparentSources) => object): AdminReply {
  const transparent = sources.transparent?.();
  if (transparent !== undefined) return jsonReply(200, show(transparent));
  return errorReply(404, 'NOT_FOUND', NOT_TRANSPARENT, 'Start it with --mode=transparent.');
}
