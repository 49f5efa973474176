import type { CallHandler, Chassis, Direction, Endpoint, Invocation, Logger, PolicyMetrics, Ports } from '@mesher/core';
import type { TransparentRoute, TransparentTarget } from '@mesher/proxy';
import type { RoutingOptions, SourceOptions } from './http-settings-schema.js';
import { MarkedCalls, type RequestMarks } from './marked-calls.js';
import type { Passage } from './passage.js';
import type { Trail } from './trail.js';
import { RouteContexts } from './steering/route-contexts.js';
import { RouteReports } from './steering/route-reports.js';
import { SteeredCalls } from './steering/steered-calls.js';
import { Steering, type KnownTargets } from './steering/steering.js';

export interface HttpSettingsParts {
  readonly source: SourceOptions;
  readonly routing: RoutingOptions;
  /** Known services get the policies of the mesh. */
  readonly isMesh: boolean;
  readonly known: KnownTargets;
  readonly outbound: CallHandler;
  readonly observation: Pick<Chassis['observation'], 'identify'>;
  readonly through: (endpoint: Endpoint) => Passage;
  readonly metrics: Pick<PolicyMetrics, 'gauge'>;
  readonly ports: Ports;
  readonly logger: Logger;
}

type Observer = NonNullable<TransparentRoute['observed']>;

/** What is done to each HTTP request of intercepted connections: a field that tells who calls, and routes that requests ask for. */
export class HttpSettings {
  readonly #steering: Steering | undefined;
  readonly #contexts: RouteContexts;
  readonly #outbound: RequestMarks = {
    before: (call) => {
      if (call.protocol === 'tcp') return;
      const { enabled, header, value } = this.parts.source;
      if (enabled) call.setHeader(header, value);
      // The id leads to the route of the inbound request.
      if (this.#steering !== undefined) this.parts.observation.identify(call);
    },
    after: () => undefined,
  };
  readonly #inbound: RequestMarks = {
    before: (call) => {
      if (call.protocol === 'tcp') return;
      this.parts.observation.identify(call);
      this.#steering?.remember(call);
    },
    after: (call, outcome) => this.#steering?.ended(call, outcome),
  };
  /** One wrapper for each handler: most handlers serve many connections. */
  readonly #wrapped = new WeakMap<object, CallHandler>();

  constructor(private readonly parts: HttpSettingsParts) {
    const { isMesh, known, logger, metrics, ports, routing } = parts;
    this.#contexts = new RouteContexts(routing, ports);
    if (!routing.enabled) return;
    const contexts = this.#contexts;
    const reports = new RouteReports(metrics, ports.clock, logger);
    metrics.gauge('routeContexts', (report) => report([], contexts.size));
    this.#steering = new Steering({ options: routing, isMesh, known, contexts, reports });
  }

  /** The same route, with these settings applied to its requests. */
  apply(direction: Direction, route: TransparentRoute, why?: Trail): TransparentRoute {
    const { http, http2, observed } = route;
    if ((http ?? http2 ?? observed) === undefined) return route;
    const isSteered = direction === 'outbound' && this.#steering !== undefined;
    if (why !== undefined) this.#say(direction, why);
    return {
      ...route,
      // The one who watches a connection cannot send a request of it elsewhere: then all are served.
      observed: observed === undefined || isSteered ? undefined : this.#observer(direction, observed),
      http: this.#target(direction, http),
      http2: this.#target(direction, http2, true),
      ...(route.byName === undefined
        ? {}
        : { byName: (host, protocol) => this.#named(direction, route, host, protocol) }),
    };
  }

  close(): void {
    this.#contexts.close();
  }

  #say(direction: Direction, why: Trail): void {
    const { source, routing } = this.parts;
    if (direction === 'inbound') {
      if (routing.enabled) why.say('routing', `${routing.header} of a request is remembered under its id`);
    } else {
      if (source.enabled) why.say('source', `requests get ${source.header}: ${source.value}`);
      if (routing.enabled) why.say('routing', `requests go where ${routing.header} says, if that is allowed`);
    }
  }

  #named(
    direction: Direction,
    route: TransparentRoute,
    host: string,
    protocol: 'http1' | 'tls',
  ): TransparentTarget | undefined {
    const target = route.byName?.(host, protocol);
    return protocol === 'tls' ? target : this.#target(direction, target);
  }

  #target<T extends TransparentTarget | undefined>(direction: Direction, target: T, overHttp2 = false): T {
    return target === undefined ? target : { ...target, handler: this.#handler(direction, target.handler, overHttp2) };
  }

  #handler(direction: Direction, handler: CallHandler, overHttp2: boolean): CallHandler {
    let wrapped = this.#wrapped.get(handler);
    if (wrapped === undefined) {
      const marks = direction === 'outbound' ? this.#outbound : this.#inbound;
      const { outbound, through } = this.parts;
      const steering = direction === 'outbound' ? this.#steering : undefined;
      const mark = (call: Invocation): void => marks.before(call);
      wrapped =
        steering === undefined
          ? new MarkedCalls(handler, marks)
          : new SteeredCalls(handler, { steering, mesh: outbound, through, mark, overHttp2 });
      this.#wrapped.set(handler, wrapped);
    }
    return wrapped;
  }

  #observer(direction: Direction, observer: Observer): Observer {
    const marks = direction === 'outbound' ? this.#outbound : this.#inbound;
    return {
      direction,
      begin: (call) => {
        marks.before(call);
        return observer.begin(call);
      },
      end: (call, outcome) => {
        marks.after(call, outcome);
        observer.end(call, outcome);
      },
    };
  }
}
