import { Rejection } from '../errors.js';
import type { Invocation } from '../invocation.js';
import type { Instance } from './instance.js';
import { whyLeftOut } from './instance-choice.js';

/** How long a caller had better wait until an instance has come. */
const RETRY_AFTER_SECONDS = 1;

/** Instances of HTTP/1 are there, so "start an instance" would lead astray. */
const NO_GRPC_ADDRESS =
  'Instances for HTTP are there: start the sidecar of one that speaks gRPC with --service-ports=grpc:PORT, which registers an address for grpc';

/**
 * The answer for a call that no instance can take.
 * @param instances all that are known of the service, or those that were left out
 */
export function nobody(service: string, instances: readonly Instance[], { protocol, subset }: Invocation): Rejection {
  const part = subset === undefined ? '' : ` with ${subset.name}`;
  return new Rejection(
    subset === undefined ? 'MESH_ERR_NO_INSTANCE' : 'MESH_ERR_NO_SUBSET',
    `No instance of ${service}${part} is up and speaks ${protocol}`,
    RETRY_AFTER_SECONDS,
    protocol === 'grpc' && subset === undefined && instances.some(speaksHttpOnly) ? NO_GRPC_ADDRESS : undefined,
  );
}

function speaksHttpOnly(instance: Instance): boolean {
  return whyLeftOut(instance, 'grpc') === 'protocol' && whyLeftOut(instance, 'http') === undefined;
}
