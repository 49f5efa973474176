import type { Invocation } from '../../invocation.js';

/** The schema that go-chassis gives to HTTP calls whose URL names no port. */
const REST_SCHEMA = 'rest';

/** True when the call belongs to a schema: for HTTP the port in the URL, and `rest`; for gRPC the service with its package. */
export function hasSchema(call: Invocation, schema: string): boolean {
  switch (call.protocol) {
    case 'http':
      return schema === REST_SCHEMA || schema === String(call.destination?.port ?? '');
    case 'grpc':
      return schema === grpcSchema(call.path);
    case 'tcp':
      return false;
  }
}

/** `package.Service` out of the path `/package.Service/Method`. */
export function grpcSchema(path: string): string {
  return path.slice(1, Math.max(1, path.lastIndexOf('/')));
}

/** `Method` out of the path `/package.Service/Method`. */
export function grpcMethod(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The first of the names that is a schema of the call; undefined when none is. */
export function schemaOf(call: Invocation, names: ReadonlyMap<string, unknown>): string | undefined {
  if (call.protocol === 'grpc') {
    const schema = grpcSchema(call.path);
    return names.has(schema) ? schema : undefined;
  }
  if (call.protocol === 'tcp') return undefined;
  const port = call.destination?.port;
  if (port !== undefined && names.has(String(port))) return String(port);
  return names.has(REST_SCHEMA) ? REST_SCHEMA : undefined;
}
