import type { NetworkNamespace, TwoHosts } from './network-namespaces.js';
import { ADDRESSES } from './network-namespaces.js';
import { APPLICATION } from './intercepted-calls.js';
import { asApplication } from './transparent-sidecar.js';

export const NEAR = ADDRESSES.near.ipv4;
export const FAR = ADDRESSES.far.ipv4;
/** Ports: where orders are called, where they may be sent, where they may not, and that of the application which calls them. */
export const [ORIGINAL, CANARY, HIDDEN, FRONT] = [8081, 8082, 8083, 8090] as const;

/** Of a sidecar in front of the application that calls orders. */
export const STEERING_ENVIRONMENT: Readonly<Record<string, string>> = {
  NETRA_HTTP_PORTS: [ORIGINAL, CANARY, HIDDEN, FRONT].join(),
  NETRA_HTTP_ROUTING_ENABLED: 'true',
  NETRA_HTTP_ROUTING_COOKIE_ENABLED: 'true',
  NETRA_HTTP_ROUTING_COOKIE_NAME: 'Route',
  NETRA_HTTP_ROUTING_ALLOW: `${FAR}:${CANARY}`,
  NETRA_HTTP_X_SOURCE_VALUE: 'front',
};

/** Says its name and the fields that it was sent. */
const APP = `
const [name, port] = process.argv.slice(1);
require('node:http').createServer(({ headers }, response) => response.end(JSON.stringify({ name, headers })))
  .listen(Number(port), '0.0.0.0', () => process.stdout.write('listening\\n'));
`;

/** Calls orders for each of its requests, and passes on nothing but the request id. */
const FORWARDING_APP = `
const http = require('node:http');
const [host, port, own] = process.argv.slice(1);
http.createServer(({ headers }, response) => {
  const id = headers['x-request-id'];
  const fields = { host: 'orders', ...(id === undefined ? {} : { 'x-request-id': id }) };
  http.get({ host, port, headers: fields }, (answer) => answer.pipe(response))
    .on('error', ({ message }) => response.end(JSON.stringify({ name: message, headers: {} })));
}).listen(Number(own), '0.0.0.0', () => process.stdout.write('listening\\n'));
`;

/** What an application says of itself. */
export interface SteeredAnswer {
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Starts orders in three versions on the far host, and who calls them on the near one. */
export async function startSteeredApps({ near, far }: TwoHosts): Promise<void> {
  await run(far, APP, 'original', String(ORIGINAL));
  await run(far, APP, 'canary', String(CANARY));
  await run(far, APP, 'hidden', String(HIDDEN));
  await run(near, FORWARDING_APP, FAR, String(ORIGINAL), String(FRONT));
}

/** @param fields header fields, as `Name: value` */
export async function curlSteered(from: NetworkNamespace, to: string, ...fields: string[]): Promise<SteeredAnswer> {
  const flags = fields.flatMap((field) => ['-H', field]);
  return JSON.parse(await asApplication(from, 'curl', '-sS', '-m', '10', ...flags, `http://${to}/`)) as SteeredAnswer;
}

async function run(on: NetworkNamespace, script: string, ...args: string[]): Promise<void> {
  const child = on.spawn(process.execPath, ['-e', script, ...args], { as: APPLICATION });
  await child.untilPrinted(/^listening$/m);
}
