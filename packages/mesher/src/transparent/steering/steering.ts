import { Rejection, type Chassis, type Destination, type Invocation, type ServicePlan } from '@mesher/core';
import type { RoutingOptions } from '../http-settings-schema.js';
import { AllowList } from './allow-list.js';
import type { RouteContexts } from './route-contexts.js';
import type { RouteReports } from './route-reports.js';
import { cookieValue, findRoute } from './route-value.js';
import type { Target } from './target.js';

/** What is known of services and hosts. */
export type KnownTargets = Pick<Chassis, 'hosts'> & {
  readonly directory: Pick<Chassis['directory'], 'ipIndex' | 'registeredName' | 'plan' | 'whenKnown'>;
};

/** Where a request is sent: to a service, as the mesh decides, or to one of the endpoints of a plan. */
export type Steered = { /** As it was written. */ readonly to: string } & (
  | { readonly kind: 'mesh'; readonly destination: Destination }
  | { readonly kind: 'plan'; readonly plan: ServicePlan; readonly destination: Destination | undefined }
);

export interface SteeringParts {
  readonly options: RoutingOptions;
  /** Known services get the policies of the mesh. */
  readonly isMesh: boolean;
  readonly known: KnownTargets;
  readonly contexts: RouteContexts;
  readonly reports: RouteReports;
}

const HTTP_PORT = 80;

/** Requests that say by a header or a cookie where they go (`X-Route: host1=host2`), as netramesh has it; and where they may. */
export class Steering {
  readonly #field: string;
  readonly #allow: AllowList;

  constructor(private readonly parts: SteeringParts) {
    this.#field = parts.options.header.toLowerCase();
    this.#allow = new AllowList(parts.options.allow);
  }

  /** Keeps what an inbound request says under its id. The request itself always goes to the application. */
  remember(call: Invocation): void {
    const { contexts, reports } = this.parts;
    const value = this.#written(call);
    if (value === undefined) return;
    if (findRoute(value, call.authority) === 'malformed') reports.add('malformed', call, value);
    else contexts.remember(call, call.requestId ?? call.header(call.requestIdField) ?? '', value);
  }

  /** The inbound request has ended. */
  readonly ended: RouteContexts['ended'] = (call, outcome) => this.parts.contexts.ended(call, outcome);

  /**
   * Where an outbound request is sent. It gets the header, too, if only the inbound request had it.
   * @param overHttp2 a host that no registry knows is spoken to in HTTP/2
   * @returns undefined: where it was going; a promise while a name is looked up
   */
  find(call: Invocation, overHttp2: boolean): Steered | undefined | Promise<Steered | undefined> {
    if (call.protocol === 'tcp') return undefined;
    const value = this.#written(call) ?? this.#remembered(call);
    if (value === undefined) return undefined;
    const target = findRoute(value, call.authority);
    if (typeof target !== 'string') return this.#resolve(call, target, overHttp2);
    this.parts.reports.add(target, call, value);
    return undefined;
  }

  /** The request goes where {@link find} said, or nobody was there who could have been called. */
  report(result: 'routed' | 'unresolved', call: Invocation, { to }: Steered): void {
    this.parts.reports.add(result, call, to);
  }

  #written(call: Invocation): string | undefined {
    const { cookieEnabled, cookie } = this.parts.options;
    const field = cookieEnabled ? call.header('cookie') : undefined;
    const crumb = field === undefined ? undefined : cookieValue(field, cookie);
    if (crumb !== undefined && crumb !== '') return crumb;
    const value = call.header(this.#field);
    return value === '' ? undefined : value;
  }

  #remembered(call: Invocation): string | undefined {
    // An id that was given just now is nobody's yet.
    const id = call.requestId === undefined ? call.header(call.requestIdField) : undefined;
    const value = id === undefined ? undefined : this.parts.contexts.find(id, call.startedAt);
    if (value !== undefined) call.setHeader(this.parts.options.header, value);
    return value;
  }

  #resolve(call: Invocation, target: Target, overHttp2: boolean): Steered | undefined | Promise<Steered | undefined> {
    const { known } = this.parts;
    const { host, port = HTTP_PORT } = target;
    const allowance = this.#allow.of(host, port);
    const service = known.directory.registeredName(host);
    if (service !== undefined && (this.#allow.allServices || allowance !== 'no')) {
      return this.#toService(call, target, service, allowance !== 'no');
    }
    const instance = this.#allow.allServices ? known.directory.ipIndex.byAddress(host, port) : undefined;
    if (allowance === 'no' && instance === undefined) return this.#refuse(call, target);
    const destination = instance === undefined ? undefined : { service: instance.service };
    const found = known.hosts.of(host, port, allowance === 'named' || instance !== undefined, overHttp2);
    const use = (plan: Awaited<typeof found>): Steered | undefined => {
      if (!(plan instanceof Rejection)) return { kind: 'plan', plan, destination, to: written(target) };
      const isRefused = plan.code === 'MESH_ERR_EGRESS_DENIED' || plan.code === 'MESH_ERR_OVERLOADED';
      this.parts.reports.add(isRefused ? 'refused' : 'unresolved', call, written(target));
      return undefined;
    };
    return found instanceof Promise ? found.then(use) : use(found);
  }

  /**
   * @param isListed the list names the service, with this port or with all. Otherwise the port says nothing: it would choose a port on the
   * loopback of those who are called.
   */
  #toService(
    call: Invocation,
    target: Target,
    service: string,
    isListed: boolean,
  ): Steered | undefined | Promise<Steered | undefined> {
    const { isMesh, known } = this.parts;
    const { port } = target;
    const destination = port === undefined || !isListed ? { service } : { service, port };
    if (isMesh) return { kind: 'mesh', destination, to: written(target) };
    const plan = known.directory.plan(service);
    if (plan === undefined) return this.#refuse(call, target);
    const use = (): Steered => {
      plan.lastUsedAt = call.startedAt;
      return { kind: 'plan', plan, destination: { service }, to: written(target) };
    };
    return plan.state === 'pending' ? known.directory.whenKnown(service).then(use) : use();
  }

  #refuse(call: Invocation, target: Target): undefined {
    this.parts.reports.add('refused', call, written(target));
    return undefined;
  }
}

function written({ host, port }: Target): string {
  return port === undefined ? host : `${host}:${port}`;
}
