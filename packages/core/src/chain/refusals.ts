import { Rejection } from '../errors.js';
import type { CallProtocol, Invocation } from '../invocation.js';
import type { ServicePlan } from '../registry/service-plan.js';

/** The registry knows no such service, or has not answered. */
export function unknownService(plan: ServicePlan): Rejection {
  return plan.state === 'pending'
    ? new Rejection('MESH_ERR_REGISTRY_UNAVAILABLE', `The registry has not answered yet about ${plan.service}`, 1)
    : new Rejection('MESH_ERR_NO_ROUTE', `No service named ${plan.service} is registered`);
}

/** Nothing tells which service is meant. */
export function unresolved(call: Invocation): Rejection {
  if (call.protocol === 'tcp' || call.authority === '') {
    return new Rejection(
      'MESH_ERR_NO_ROUTE',
      `Nothing tells which service a ${call.protocol} call from ${call.remoteAddress} is for`,
    );
  }
  return new Rejection(
    'MESH_ERR_NO_ROUTE',
    `The host ${call.authority} names no service`,
    undefined,
    howToName(call.protocol),
  );
}

/** How a caller says which service it means. */
export function howToName(protocol: CallProtocol): string {
  return protocol === 'grpc'
    ? 'Make the name of the service the authority of the channel (grpc.default_authority, WithAuthority), or its target with this sidecar as grpc_proxy; targets that are addresses of instances need plugin.destinationResolver.grpc: ip'
    : 'Call http://SERVICE/ with this sidecar as the HTTP proxy, or send the name of the service in the Host field';
}
