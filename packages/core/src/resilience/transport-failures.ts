import type { MeshDocument } from '../config/document.js';
import { transportSchema } from '../config/sections/platform.js';

/** Names of protocols in `servicecomb.transport.failure` that are HTTP. */
const HTTP_NAMES = ['rest', 'http'] as const;

/** What `servicecomb.transport.failure` calls failures of HTTP calls, as it is written: `http_429`, `429`, `5xx`. */
export function transportFailures(document: MeshDocument): readonly string[] {
  const { failure } = document.section('servicecomb.transport', transportSchema);
  return HTTP_NAMES.flatMap((name) => failure.get(name) ?? []);
}
