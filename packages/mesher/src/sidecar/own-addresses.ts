import type { HostPort, InstanceAddress, ServicePort } from '@mesher/core';
import type { AdvertisedAddresses } from './listen-plan.js';

/**
 * The addresses under which a sidecar registers its application, by protocol. The rule:
 * - there is an inbound listener to register; an application that only calls has no address;
 * - `rest` is the address of the HTTP listener, unless all that the application declares (`--service-ports`) is gRPC;
 * - `grpc` is the address of the gRPC listener, or else that of the HTTP listener, which takes gRPC as well, unless the application
 *   declares ports and none of them speaks HTTP/2 (`grpc`, `h2c`): then callers learn at once that nobody there speaks gRPC.
 *
 * Without any declared port callers choose the local port themselves, and nobody but them knows what is spoken there.
 */
export function ownAddresses(
  advertised: AdvertisedAddresses,
  servicePorts: readonly ServicePort[],
): ReadonlyMap<string, InstanceAddress> {
  const declares = (...protocols: readonly string[]): boolean =>
    servicePorts.some(({ protocol }) => protocols.includes(protocol));
  const isUndeclared = servicePorts.length === 0;
  const isGrpcOnly = !isUndeclared && servicePorts.every(({ protocol }) => protocol === 'grpc');
  const found: readonly (readonly [name: string, address: HostPort | undefined])[] = [
    ['rest', isGrpcOnly ? undefined : advertised.http],
    ['grpc', isUndeclared || declares('grpc', 'h2c') ? (advertised.grpc ?? advertised.http) : undefined],
  ];
  return new Map(
    found.flatMap(([name, address]) => (address === undefined ? [] : [[name, { ...address, tls: false }]])),
  );
}
