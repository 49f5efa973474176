import type { MeshDocument } from '../config/document.js';
import { transportSchema } from '../config/sections/platform.js';

/** Protocols in `servicecomb.transport.failure` that are HTTP, gRPC included. */
const PROTOCOLS = ['rest', 'http', 'grpc'] as const;

/** What `servicecomb.transport.failure` calls failures of HTTP and gRPC calls, as it is written: `http_429`, `429`, `5xx`, `grpc_14`. */
export function transportFailures(document: MeshDocument): readonly string[] {
  const { failure } = document.section('servicecomb.transport', transportSchema);
  return PROTOCOLS.flatMap((name) => failure.get(name) ?? []);
}
