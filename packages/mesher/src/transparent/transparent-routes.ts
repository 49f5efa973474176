import {
  LocalDestination,
  Rejection,
  addressFor,
  type CallHandler,
  type Chassis,
  type Destination,
  type Direction,
  type Instance,
} from '@mesher/core';
import { proxyHeader, type TransparentRoute, type TransparentTarget } from '@mesher/proxy';
import { isIPv6 } from 'node:net';
import type { HttpSettings } from './http-settings.js';
import { MarkedCalls, type RequestMarks } from './marked-calls.js';
import { refusing } from './refusing.js';
import { NamedCalls } from './named-calls.js';
import type { Passage } from './passage.js';
import type { Passages } from './passages.js';
import type { Trail } from './trail.js';
import type { TransparentOptions } from './transparent-schema.js';

export interface Original {
  readonly address: string;
  readonly port: number;
}

/** What decides in the mesh. */
export type MeshSide = Pick<Chassis, 'inbound' | 'outbound'> & {
  readonly observation: Pick<Chassis['observation'], 'isWanted'>;
  readonly directory: Pick<Chassis['directory'], 'ipIndex' | 'registeredName' | 'plan'>;
};

/** Host, and port if there is one; IPv6 addresses name no service. */
const AUTHORITY = /^([^:[\]]+)(?::(\d{1,5}))?$/;

/**
 * Where connections go. Bytes that are not HTTP go to the address that the program has chosen, since its port means a protocol; they are
 * balanced only where the registry lists an address for just that.
 */
export class TransparentRoutes {
  /** One for each passage, which serves many connections. */
  readonly #countedByName = new WeakMap<Passage, MarkedCalls>();
  readonly #naming: RequestMarks = {
    before: (call) => {
      const named = call.destination === undefined ? this.#named(call.authority) : undefined;
      // The port is that of the address, which stays.
      if (named !== undefined) call.destination = { service: named.service };
    },
    after: () => undefined,
  };

  constructor(
    private readonly mesh: MeshSide,
    private readonly passages: Passages,
    private readonly options: TransparentOptions,
    /** Name of the local application. */
    private readonly own: string,
    /** Ports on which this very process listens. */
    private readonly isOwnPort: (port: number) => boolean,
    /** Calls the application from the address of the client; undefined: from that of the sidecar. */
    private readonly keptSource?: TransparentRoute['connect'],
    /** What is done to requests besides; undefined: nothing. */
    private readonly settings?: Pick<HttpSettings, 'apply'>,
  ) {}

  /** @param why takes the reasons down, in their order */
  route(direction: Direction, original: Original, why?: Trail): TransparentRoute {
    const route = direction === 'inbound' ? this.#inbound(original, why) : this.#outbound(original, why);
    return this.settings?.apply(direction, route, why) ?? route;
  }

  #inbound(original: Original, why: Trail | undefined): TransparentRoute {
    const { inboundTo, policy, proxyProtocol } = this.options;
    if (inboundTo === 'loopback' && this.isOwnPort(original.port)) {
      why?.say('own port', `${original.port} is a port of the sidecar itself: nobody is brought there by loopback`);
      return { handler: refusing('inbound', notForStrangers(original.port)), verdict: 'refused' };
    }
    const loopback = isIPv6(original.address) ? '::1' : '127.0.0.1';
    const host = inboundTo === 'loopback' ? loopback : original.address;
    const handler = this.passages.to('inbound', host, original.port, why === undefined);
    why?.say('inboundTo', `${inboundTo}: the application is called at ${handler.endpoint.key}`);
    if (this.keptSource !== undefined)
      why?.say('keepSource', 'the application is called from the address of the client');
    const passed = { handler, verdict: 'passed', isTransparent: true } as const;
    const observed = this.#seesRequests ? handler : undefined;
    if (proxyProtocol !== 'off') {
      why?.say(
        'proxyProtocol',
        `${proxyProtocol}: a header tells the application who called, and bytes follow as they are`,
      );
      const connect = this.keptSource === undefined ? {} : { connect: this.keptSource };
      return { ...passed, ...connect, observed, preamble: (socket) => proxyHeader(proxyProtocol, socket, original) };
    }
    if (this.keptSource !== undefined) return { ...passed, observed, connect: this.keptSource };
    why?.say('policy', INBOUND_POLICY[policy]);
    this.#sayRequests(why);
    if (policy === 'observe') return this.#observing(passed, observed);
    const target = { handler: this.mesh.inbound, verdict: 'mesh' } as const;
    const http = { ...target, destination: new LocalDestination(this.own, handler.endpoint) };
    const http2 = { ...target, destination: new LocalDestination(this.own, handler.overHttp2.endpoint) };
    return { ...http, http, http2 };
  }

  #outbound({ address, port }: Original, why: Trail | undefined): TransparentRoute {
    const { mesh } = this;
    const handler = this.passages.to('outbound', address, port, why === undefined);
    const instance = mesh.directory.ipIndex.byAddress(address, port);
    const destination = instance === undefined ? undefined : { service: instance.service };
    const passed = {
      handler,
      destination,
      verdict: 'passed',
      isTransparent: true,
      recognise: instance === undefined && handler.isCounted ? this.#recogniseFor(handler) : undefined,
    } as const;
    const observed = this.#seesRequests ? handler : undefined;
    why?.say(
      'instance',
      instance === undefined
        ? `no known service has an instance at ${handler.endpoint.key}`
        : `${handler.endpoint.key} is an instance of ${instance.service}: it is counted for that service`,
    );
    why?.say('policy', OUTBOUND_POLICY[this.options.policy]);
    this.#sayRequests(why);
    if (this.options.policy === 'observe') return this.#observing(passed, observed, instance === undefined);
    if (instance === undefined) {
      // A connection may go on to name a service with a later request, or a later stream.
      return {
        ...passed,
        http: observed && { handler: this.#namedCalls(handler), verdict: 'passed' },
        // The names in HTTP/2 are compressed: only who serves it knows them.
        http2: { handler: this.#namedCalls(handler.overHttp2), verdict: 'passed' },
        byName: (host, protocol) => this.#byName(handler, host, protocol, why),
      };
    }
    const target = { handler: mesh.outbound, destination, verdict: 'mesh' } as const;
    if (why !== undefined) {
      const bytes = takesBytes(instance, port);
      why.say(
        'bytes',
        bytes
          ? `${instance.service} lists the port for bytes (an address named tcp): connections are balanced, whatever they speak`
          : 'what is not HTTP stays with this address: it is not listed for bytes (an address named tcp)',
      );
    }
    return takesBytes(instance, port) ? { ...target, http: target } : { ...passed, http: target };
  }

  /**
   * Requests of HTTP/1 pass on their connection; `http` is for those who must send them elsewhere.
   * @param byName each request is counted for the service that it names
   */
  #observing(passed: TransparentTarget, observed: Passage | undefined, byName = false): TransparentRoute {
    if (observed === undefined) return passed;
    const handlerFor = (passage: Passage): CallHandler => (byName ? this.#counted(passage) : passage);
    const [handler, overHttp2] = [handlerFor(observed), handlerFor(observed.overHttp2)];
    return { ...passed, observed: handler, http: { ...passed, handler }, http2: { ...passed, handler: overHttp2 } };
  }

  #counted(passage: Passage): CallHandler {
    let counted = this.#countedByName.get(passage);
    if (counted === undefined) this.#countedByName.set(passage, (counted = new MarkedCalls(passage, this.#naming)));
    return counted;
  }

  /** Requests are seen one by one even where the mesh has no say. */
  get #seesRequests(): boolean {
    const { requests } = this.options;
    return requests === 'serve' || (requests === 'auto' && this.#isWanted);
  }

  get #isWanted(): boolean {
    return this.mesh.observation.isWanted || this.settings !== undefined;
  }

  #sayRequests(why: Trail | undefined): void {
    if (why === undefined) return;
    const { requests } = this.options;
    const seen = this.#seesRequests ? 'requests of HTTP are seen one by one' : 'requests of HTTP are not looked at';
    const cause = requests === 'auto' ? `, since ${this.#isWanted ? 'somebody' : 'nobody'} wants to see them` : '';
    why.say('requests', `${requests}: ${seen}${cause}`);
  }

  #recogniseFor(passage: Passage): TransparentRoute['recognise'] {
    return (call, host) => {
      const named = this.#named(host);
      if (named !== undefined) passage.recognised(call, named);
    };
  }

  #namedCalls(passage: Passage): NamedCalls {
    return new NamedCalls(this.mesh.outbound, passage, (authority) => this.#named(authority));
  }

  #byName(
    passage: Passage,
    host: string,
    protocol: 'http1' | 'tls',
    why: Trail | undefined,
  ): TransparentTarget | undefined {
    const { mesh } = this;
    const named = this.#named(host);
    why?.say('name', named === undefined ? `${host} is no known service` : `${host} is the service ${named.service}`);
    if (named === undefined) return undefined;
    if (protocol === 'http1') return { handler: this.#namedCalls(passage), verdict: 'mesh' };
    // TLS stays as it is: only an address that is listed for bytes, or for TLS, can take it.
    const instances = mesh.directory.plan(named.service)?.snapshot?.instances ?? [];
    const takesTls = instances.length > 0 && instances.every((instance) => takesEncrypted(instance));
    if (!takesTls) why?.say('TLS', `${named.service} lists no address that takes TLS or bytes: the connection stays`);
    return takesTls ? { handler: mesh.outbound, destination: named, verdict: 'mesh' } : undefined;
  }

  #named(authority: string): Destination | undefined {
    const [, host = '', port] = AUTHORITY.exec(authority) ?? [];
    const service = host === '' ? undefined : this.mesh.directory.registeredName(host.replace(/\.$/, ''));
    if (service === undefined) return undefined;
    return port === undefined ? { service } : { service, port: Number(port) };
  }
}

const INBOUND_POLICY = {
  observe: 'observe: the connection goes to where it was going',
  mesh: 'mesh: requests get the policies of the provider chain',
} as const;

const OUTBOUND_POLICY = {
  observe: 'observe: the connection goes to where it was going',
  mesh: 'mesh: requests to known services are routed, balanced and guarded',
} as const;

/** The admin port trusts whoever comes by loopback: nobody is brought there from outside. */
function notForStrangers(port: number): Rejection {
  return new Rejection('MESH_ERR_DENIED', `Port ${port} is one of the sidecar itself, which is not called through it`);
}

/** The instance lists the port for bytes, not for a protocol of which they may be none. */
function takesBytes(instance: Instance, port: number): boolean {
  const listed = addressFor(instance, 'tcp');
  return listed !== undefined && listed.name === 'tcp' && listed.port === port;
}

function takesEncrypted(instance: Instance): boolean {
  const listed = addressFor(instance, 'tcp');
  return listed !== undefined && (listed.tls || listed.name === 'tcp');
}
