import { Rejection } from '../errors.js';
import type { Invocation } from '../invocation.js';
import type { ServicePlan } from '../registry/service-plan.js';

/** No instance can take the call. */
export function nobody(call: Invocation, plan: ServicePlan): Rejection {
  const { subset } = call;
  return subset === undefined
    ? new Rejection('MESH_ERR_NO_INSTANCE', `No instance of ${plan.service} is up and speaks ${call.protocol}`, 1)
    : new Rejection(
        'MESH_ERR_NO_SUBSET',
        `No instance of ${plan.service} with ${subset.name} is up and speaks ${call.protocol}`,
        1,
      );
}

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
    'Call http://SERVICE/ with this sidecar as the HTTP proxy, or send the name of the service in the Host field',
  );
}
