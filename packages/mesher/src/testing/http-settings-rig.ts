import { schemaDefaults, type AnyPlugin, type Chassis, type Direction } from '@mesher/core';
import { chassisRig, type ChassisRig, type RecordingLogger } from '@mesher/core/testing';
import { ProxyServer, type OriginalDestination } from '@mesher/proxy';
import { createServer, request, type Agent, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { HttpSettings } from '../transparent/http-settings.js';
import type { RoutingOptions, SourceOptions } from '../transparent/http-settings-schema.js';
import { Passages } from '../transparent/passages.js';
import { refuseDirect } from '../transparent/refusing.js';
import { TransparentRoutes } from '../transparent/transparent-routes.js';
import { transparentSchema, type TransparentOptions } from '../transparent/transparent-schema.js';

/** What an application has answered: its name, and the fields that it was sent. */
export interface AppAnswer {
  readonly app: string;
  /** Number of the connection of the application, from 1 on. */
  readonly connection: number;
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** Values of a field by lower-case name. */
  values(name: string): string[];
}

export interface RigSettings {
  readonly source?: Partial<SourceOptions>;
  readonly routing?: Partial<RoutingOptions>;
  readonly transparent?: Partial<TransparentOptions>;
  readonly configuration?: Readonly<Record<string, string>>;
  readonly plugins?: readonly AnyPlugin[];
  readonly isOwnPort?: (port: number) => boolean;
}

type Fields = Readonly<Record<string, string | string[]>>;

/** A transparent listener with real sockets, where a test says where each connection was going: 127.0.0.1 is inbound, all else is outbound. */
export class HttpSettingsRig {
  #original: OriginalDestination = { kind: 'gone' };
  readonly #apps: Server[] = [];

  private constructor(
    readonly core: ChassisRig,
    readonly chassis: Chassis,
    readonly proxy: ProxyServer,
    readonly settings: HttpSettings | undefined,
    private readonly routes: TransparentRoutes,
  ) {}

  static async open(settings: RigSettings): Promise<HttpSettingsRig> {
    const { configuration = {}, isOwnPort = () => false, plugins = [] } = settings;
    const core = await chassisRig({ configuration, isOwnPort, plugins });
    const chassis = await core.create();
    const { logger, ports } = core;
    const defaults = schemaDefaults(transparentSchema);
    const options = {
      ...defaults,
      ...settings.transparent,
      source: { ...defaults.source, ...settings.source },
      routing: { ...defaults.routing, ...settings.routing },
    };
    const proxy = new ProxyServer({ ports, logger, onConnected: (to) => chassis.outbound.connected(to) });
    chassis.directory.onRetired((endpoint) => proxy.retire(endpoint));
    const passages = new Passages({
      maxDestinations: options.maxDestinations,
      own: 'shop',
      metrics: chassis.metrics,
      observation: chassis.observation,
      onForgotten: (endpoint) => proxy.retire(endpoint),
    });
    const { routing, source } = options;
    const http =
      source.enabled || routing.enabled
        ? new HttpSettings({
            ...{ source, routing, ports, logger, known: chassis, outbound: chassis.outbound },
            ...{ isMesh: options.policy === 'mesh', observation: chassis.observation, metrics: chassis.policyMetrics },
            through: (endpoint) => passages.through(endpoint),
          })
        : undefined;
    const routes = new TransparentRoutes(chassis, passages, options, 'shop', isOwnPort, undefined, http);
    const rig = new HttpSettingsRig(core, chassis, proxy, http, routes);
    await rig.#listen();
    core.discovery.publishAll([]);
    await rig.chassis.start();
    return rig;
  }

  get logger(): RecordingLogger {
    return this.core.logger;
  }

  /** How often a result of routing was counted. */
  async routed(result: string): Promise<number> {
    const families = this.chassis.policyMetrics.families();
    const family = families.find(({ definition }) => definition.name === 'mesher_transparent_routes_total');
    let sum = 0;
    for await (const slice of family?.slices() ?? []) {
      for (const { labels, value } of slice) if (labels['result'] === result) sum += value;
    }
    return sum;
  }

  /** An application that says who it is. @returns its port */
  async app(name: string, host = '127.0.0.1'): Promise<number> {
    let connections = 0;
    const numbers = new WeakMap<object, number>();
    const server = createServer(({ rawHeaders, socket }, response) => {
      const fields = rawHeaders.flatMap((text, index) => (index % 2 === 0 ? [[text, rawHeaders[index + 1]]] : []));
      response.end(JSON.stringify({ app: name, connection: numbers.get(socket), fields }));
    });
    server.on('connection', (socket) => numbers.set(socket, ++connections));
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    this.#apps.push(server);
    return (server.address() as AddressInfo).port;
  }

  /** A request of a program for `authority`, on a connection of its own, to an address that the rules then brought here. */
  call(direction: Direction, to: number, authority: string, headers: Fields = {}, agent?: Agent): Promise<AppAnswer> {
    const address = direction === 'inbound' ? '127.0.0.1' : '127.0.0.2';
    this.#original = { kind: 'intercepted', address, port: to };
    const { port } = this.#listener;
    return new Promise((resolve, reject) => {
      const how = agent === undefined ? { createConnection: () => connect(port, '127.0.0.1') } : { agent, port };
      const sent = request({ ...how, host: '127.0.0.1', headers: { host: authority, ...headers } }, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (more: string) => (text += more));
        answer.on('end', () => {
          const { app, connection, fields } = JSON.parse(text) as AppAnswer;
          const values = (name: string): string[] =>
            fields.filter(([field]) => field.toLowerCase() === name).map(([, value]) => value);
          resolve({ app, connection, fields, values });
        });
      });
      sent.on('error', reject).end();
    });
  }

  /** The next connections were going to 127.0.0.2. @returns the port to which the rules bring them */
  goingTo(port: number): number {
    this.#original = { kind: 'intercepted', address: '127.0.0.2', port };
    return this.#listener.port;
  }

  /** Says something on a connection to 127.0.0.2 and ends it. @returns all that came back */
  talk(to: number, text: string): Promise<string> {
    const port = this.goingTo(to);
    return new Promise((resolve) => {
      let answer = '';
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      socket.on('error', ({ message }) => (answer += message));
      socket.on('close', () => resolve(answer));
      socket.setEncoding('latin1').on('data', (more: string) => (answer += more));
      socket.on('end', () => socket.end()).write(text);
      if (!text.startsWith('GET') && !text.startsWith('HEAD') && !text.startsWith('PUT')) socket.end();
    });
  }

  async close(): Promise<void> {
    this.settings?.close();
    this.proxy.close();
    await this.chassis.close();
    for (const app of this.#apps) app.closeAllConnections();
    await Promise.all(this.#apps.map((app) => new Promise((resolve) => app.close(resolve))));
  }

  #listener: { readonly port: number } = { port: 0 };

  async #listen(): Promise<void> {
    this.#listener = await this.proxy.listen({
      host: '127.0.0.1',
      port: 0,
      handler: refuseDirect(1),
      sources: [],
      transparent: {
        find: () => this.#original,
        isOwnAddress: (address) => address === '127.0.0.1',
        route: (direction, original) => this.routes.route(direction, original),
        opaquePorts: new Set(),
        httpPorts: new Set(),
      },
    });
  }
}
