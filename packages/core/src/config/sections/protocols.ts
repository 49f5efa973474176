import { s } from '../schema/combinators.js';
import type { Infer } from '../schema/schema.js';

/** `{protocol}` or `{protocol}-{suffix}`; the suffix is the name of the port. */
export const PROTOCOL_NAME = /^[A-Za-z0-9]+(?:-[A-Za-z0-9_]+)?$/;

/** Answers what is wrong with the name of a protocol server, or undefined. */
export function checkProtocolName(name: string): string | undefined {
  return PROTOCOL_NAME.test(name)
    ? undefined
    : `'${name}' is no protocol name: write {protocol} or {protocol}-{suffix} with one hyphen, such as rest or rest-admin`;
}

const SERVED_BY_SDK = 'the servers of an application that is built on the SDK will use it';

/** One entry of `servicecomb.protocols`. */
export const protocolSchema = s.object({
  listenAddress: s.address({ doc: 'Address to listen on.' }),
  advertiseAddress: s.address({
    doc: 'Address to register, when others must use another one than the listen address.',
  }),
  workerNumber: s.integer({
    min: 0,
    doc: 'Number of workers of the server.',
    obsolete: 'there are no workers to count',
  }),
  transport: s.string({ doc: 'Transport of the server.', obsolete: 'the transport follows from the protocol' }),
  cors: s.object(
    {
      enabled: s.boolean({ doc: 'Answers CORS requests.' }),
      enable: s.boolean({ doc: 'Answers CORS requests.' }),
      allowOrigins: s.list(s.string(), { commaSeparated: true, doc: 'Origins that are allowed.' }),
      allowMethods: s.list(s.string(), { commaSeparated: true, doc: 'Methods that are allowed.' }),
      allowHeaders: s.list(s.string(), { commaSeparated: true, doc: 'Header fields that are allowed.' }),
      exposeHeaders: s.list(s.string(), { commaSeparated: true, doc: 'Header fields that a page may read.' }),
      allowCredentials: s.boolean({ doc: 'Whether requests may carry cookies.' }),
      maxAge: s.duration({ bareUnit: 's', doc: 'How long a preflight answer may be kept.' }),
    },
    { notYet: SERVED_BY_SDK, section: 'servicecomb.protocols.*.cors' },
  ),
});

/** `servicecomb.protocols`: the listeners, by protocol name. */
export const protocolsSchema = s.map(protocolSchema, {
  keyName: 'protocol',
  doc: 'Listeners by protocol: http (127.0.0.1:30101 when left out), grpc (none when left out; 127.0.0.1:40101 is usual), rest-admin (127.0.0.1:30102 when left out). Each of the first two takes HTTP/1, HTTP/2 and gRPC. {protocol}-{suffix} names a port.',
  checkKey: checkProtocolName,
});

export type ProtocolConfig = Infer<typeof protocolSchema>;
