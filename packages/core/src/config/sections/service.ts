import { hostname, networkInterfaces } from 'node:os';
import { s } from '../schema/combinators.js';
import type { Infer } from '../schema/schema.js';

/** `servicecomb.service`: who this service is. Usually in microservice.yaml. */
export const serviceSchema = s.object(
  {
    name: s.string({
      doc: 'Name under which others call this service. It must be set somewhere: here, or by CAS_COMPONENT_NAME.',
      // Names travel in Host headers and in URLs.
      pattern: /^[A-Za-z0-9]([A-Za-z0-9._-]{0,126}[A-Za-z0-9])?$/,
      expectation: "a name of letters, digits, '-', '_' and '.', at most 128 characters",
    }),
    app: s.string({
      default: 'default',
      doc: 'Application the service belongs to. Callers of the same application find it; others need a route rule with the tag app.',
    }),
    version: s.string({ default: '0.0.1', doc: 'Version of the service, as route rules and registries see it.' }),
    environment: s.string({
      doc: 'Environment such as development or production: a label of what the config center is asked for. Service-center keeps environments apart: services of another one are not found.',
    }),
    hostname: s.string({
      doc: 'Host name in the registered instance; $INTERNAL_IP stands for the first address that is not loopback.',
      reason: 'when left out, the host name of the machine is what people look for',
    }),
    description: s.string({ doc: 'Free text about the service, for service-center.' }),
    level: s.string({ doc: 'Position of the service, for service-center: FRONT, MIDDLE or BACK.' }),
    status: s.oneOf(['UP', 'DOWN', 'STARTING', 'TESTING', 'OUTOFSERVICE'], {
      default: 'UP',
      doc: 'Status under which this instance is registered; only UP and TESTING receive calls.',
    }),
    properties: s.map(s.string(), {
      keyName: 'property',
      doc: 'Properties of the service, all versions of it apart, sent to service-center.',
    }),
    instanceProperties: s.map(s.string(), {
      keyName: 'property',
      doc: 'Properties of this instance; route rules and load balancers may use them as tags.',
    }),
    tags: s.map(s.string(), {
      keyName: 'tag',
      doc: 'Tags of this version of the service in service-center; callers that read them (servicecomb.registry.servicecenter.serviceTags) find them at each of its instances.',
    }),
    paths: s.list(
      s.object({
        path: s.string({ doc: 'Path of the service.' }),
        property: s.free({ doc: 'What applies to the path.' }),
      }),
      { doc: 'Paths with properties, sent to service-center as they are.', default: [] },
    ),
    schemas: s.list(s.string(), {
      commaSeparated: true,
      default: [],
      doc: 'Names of the contracts that are registered in service-center.',
    }),
    alias: s.string({ doc: 'Second name of the service in service-center.' }),
  },
  { doc: 'Who this service is.' },
);

export type ServiceConfig = Infer<typeof serviceSchema>;

const INTERNAL_IP = '$INTERNAL_IP';

/** The host name to register: as configured, else that of the machine. */
export function instanceHostname(configured: string | undefined): string {
  if (configured !== undefined && configured !== INTERNAL_IP) {
    return configured;
  }
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const address = addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
  return configured === INTERNAL_IP && address !== undefined ? address : hostname();
}
