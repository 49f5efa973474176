import { isIP } from 'node:net';
import type { MeshDocument } from '../../config/document.js';
import type { LiveConfiguration } from '../../config/live/live-configuration.js';
import { Rejection } from '../../errors.js';
import type { Explanation } from '../../explain/explanation.js';
import type { Destination, Invocation } from '../../invocation.js';
import type { PolicyMetrics } from '../../telemetry/policy-metrics.js';
import { egressOptionsSchema } from './egress-options.js';
import type { EgressPlan } from './egress-plan.js';
import type { EgressPlans, EgressTarget } from './egress-plans.js';
import { EgressRules, type EgressDecision } from './egress-rules.js';

const STAGE = 'egress';
const HTTP_PORT = 80;
const HTTPS_PORT = 443;
const PORT_HINT = 'Call one of these ports, or add the port to the rule';

/** A host outside the mesh, as a call names it. */
interface OutsideHost {
  /** In lower case, without brackets or a final dot. */
  readonly host: string;
  readonly port: number | undefined;
}

/**
 * Decides about calls to hosts outside the mesh (`egressRule`, `mesher.egress`). Rules are asked before the registry, so that a rule
 * for a host always holds; the policy after it, so that a registered service is never taken for a host.
 */
export class Egress {
  #rules: EgressRules;
  #policy: 'allow_any' | 'registry_only' | undefined;
  readonly #counts = new Map<string, Map<string, number>>();

  constructor(
    configuration: LiveConfiguration,
    readonly plans: EgressPlans,
    metrics: PolicyMetrics,
  ) {
    this.#rules = new EgressRules(configuration.document);
    this.#policy = policyOf(configuration.document);
    configuration.onChange((document) => {
      this.#rules = new EgressRules(document);
      this.#policy = policyOf(document);
      plans.configure(document.section('mesher.egress', egressOptionsSchema));
    });
    metrics.gauge('egress', (report) => {
      for (const [rule, decisions] of this.#counts) {
        for (const [decision, count] of decisions) report([rule, decision], count);
      }
    });
  }

  /**
   * What a rule says about a call.
   * @returns undefined when no rule names the host: the registry is asked then
   */
  planFor(call: Invocation, destination: Destination | undefined): EgressTarget | Promise<EgressTarget> | undefined {
    if (this.#rules.isEmpty) return undefined;
    const outside = outsideHost(call, destination);
    const decision = outside === undefined ? undefined : this.#rules.decide(outside.host, outside.port, call.protocol);
    if (outside === undefined || decision === undefined) return undefined;
    if (!decision.allowed) {
      this.#count(decision.rule, 'denied');
      return denied(decision.reason, PORT_HINT);
    }
    return this.#counted(
      decision.rule,
      this.plans.of(outside.host, decision.port, decision.exact, decision.speaksHttp2),
    );
  }

  /**
   * What the policy says about a call to a host that neither a rule nor the registry knows.
   * @returns undefined when it is not even a host, but the name of a service that does not exist
   */
  planForUnknown(
    call: Invocation,
    destination: Destination | undefined,
  ): EgressTarget | Promise<EgressTarget> | undefined {
    if (this.#policy === undefined && this.#rules.isEmpty) return undefined;
    const outside = outsideHost(call, destination);
    if (outside === undefined || !isHost(outside.host)) return undefined;
    if (this.#policy === 'allow_any') {
      return this.#counted('', this.plans.of(outside.host, outside.port ?? defaultPort(call), false));
    }
    this.#count('', 'denied');
    return denied(`${outside.host} is neither a registered service nor named by an egress rule`);
  }

  /** True for a call whose authority is an address that names no service, where addresses outside are spoken of at all. */
  mayCall(call: Invocation): boolean {
    const configured = this.#policy !== undefined || !this.#rules.isEmpty;
    return configured && outsideHost(call, undefined) !== undefined;
  }

  /** @returns the plan, where one is known already; undefined with `into` stopped or open, or not, as {@link planFor} would decide */
  explain(call: Invocation, destination: Destination | undefined, into: Explanation): EgressPlan | undefined {
    const outside = outsideHost(call, destination);
    const decision = outside === undefined ? undefined : this.#rules.decide(outside.host, outside.port, call.protocol);
    if (outside === undefined || decision === undefined) return undefined;
    return this.#explain(outside, decision, into);
  }

  /** As {@link explain}, for a host that neither a rule nor the registry knows. */
  explainUnknown(call: Invocation, destination: Destination | undefined, into: Explanation): EgressPlan | undefined {
    if (this.#policy === undefined && this.#rules.isEmpty) return undefined;
    const outside = outsideHost(call, destination);
    if (outside === undefined || !isHost(outside.host)) return undefined;
    const port = outside.port ?? defaultPort(call);
    const reason = `${outside.host} is neither a registered service nor named by an egress rule`;
    const decision: EgressDecision =
      this.#policy === 'allow_any'
        ? { allowed: true, rule: '', port, exact: false, speaksHttp2: false }
        : { allowed: false, rule: '', reason };
    return this.#explain(outside, decision, into);
  }

  #explain({ host }: OutsideHost, decision: EgressDecision, into: Explanation): EgressPlan | undefined {
    const rule =
      decision.rule === '' ? `mesher.egress.policy ${this.#policy ?? 'registry_only'}` : `egressRule.${decision.rule}`;
    if (!decision.allowed) {
      into.reject(STAGE, denied(decision.reason), [`${rule} decides`], { host, rule });
      return undefined;
    }
    const target = this.plans.peek(host, decision.port, decision.exact, decision.speaksHttp2);
    if (target instanceof Rejection) {
      into.reject(STAGE, target, [`${rule} allows it`], { host, rule });
      return undefined;
    }
    const addresses = target?.snapshot?.instances.map(({ instanceId }) => instanceId) ?? [];
    const known =
      target === undefined ? 'DNS has not been asked yet; a call would ask it' : `DNS: ${addresses.join(', ')}`;
    into.add(STAGE, `${host}:${decision.port} outside the mesh`, [`${rule} allows it`, known], {
      ...{ host, rule, port: decision.port },
      ...(target === undefined ? {} : { addresses }),
    });
    // Nothing more can be said without asking DNS.
    if (target === undefined) into.open = true;
    return target;
  }

  #counted(rule: string, target: EgressTarget | Promise<EgressTarget>): EgressTarget | Promise<EgressTarget> {
    if (target instanceof Promise) return target.then((later) => this.#counted(rule, later));
    this.#count(
      rule,
      !(target instanceof Rejection) ? 'allowed' : target.code === 'MESH_ERR_EGRESS_DENIED' ? 'denied' : 'not-found',
    );
    return target;
  }

  #count(rule: string, decision: string): void {
    let decisions = this.#counts.get(rule);
    if (decisions === undefined) this.#counts.set(rule, (decisions = new Map()));
    decisions.set(decision, (decisions.get(decision) ?? 0) + 1);
  }
}

function policyOf(document: MeshDocument): 'allow_any' | 'registry_only' | undefined {
  return document.section('mesher.egress', egressOptionsSchema).policy;
}

function denied(reason: string, hint?: string): Rejection {
  return new Rejection('MESH_ERR_EGRESS_DENIED', reason, undefined, hint);
}

/** CONNECT is how clients ask a proxy for a host that speaks TLS. */
function defaultPort({ method }: Invocation): number {
  return method === 'CONNECT' ? HTTPS_PORT : HTTP_PORT;
}

/** A name with a dot, or an address. What has no dot is the name of a service. */
function isHost(host: string): boolean {
  return host.includes('.') || isIP(host) !== 0;
}

/** The host that a call is for: the one that was resolved, else an IP address in its authority, which names no service. */
function outsideHost({ authority }: Invocation, destination: Destination | undefined): OutsideHost | undefined {
  if (destination !== undefined) {
    const { service, port } = destination;
    return service === '' ? undefined : { host: service.toLowerCase(), port };
  }
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(authority) ?? [];
  const host = bracketed ?? plain ?? '';
  return isIP(host) === 0
    ? undefined
    : { host: host.toLowerCase(), port: port === undefined ? undefined : Number(port) };
}
