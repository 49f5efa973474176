import type { MeshDocument } from '../../config/document.js';
import { HostIndex } from './host-pattern.js';

const HTTP_PORT = 80;

/** A rule, compiled. */
interface CompiledEgressRule {
  readonly name: string;
  /** Ports that may be called; any when empty. */
  readonly ports: readonly number[];
  readonly httpPort: number;
}

/** What the rules say about a host and port. */
export type EgressDecision =
  | {
      readonly allowed: true;
      readonly rule: string;
      readonly port: number;
      /** The rule names this very host: it may lead wherever it does. */
      readonly exact: boolean;
    }
  | { readonly allowed: false; readonly rule: string; readonly reason: string };

/** `egressRule`, compiled. */
export class EgressRules {
  readonly #hosts = new HostIndex<CompiledEgressRule>();
  readonly isEmpty: boolean;

  constructor(document: MeshDocument) {
    this.isEmpty = document.egressRules.size === 0;
    for (const [name, rules] of document.egressRules) {
      for (const { hosts, ports } of rules) {
        const http = ports.find(({ protocol }) => protocol.toLowerCase() === 'http');
        const rule = { name, ports: ports.map(({ port }) => port ?? HTTP_PORT), httpPort: http?.port ?? HTTP_PORT };
        for (const host of hosts ?? []) this.#hosts.add(host, rule);
      }
    }
  }

  /**
   * @param host in lower case, without brackets
   * @param port the one in the URL; without it the first HTTP port of the rule is meant, else 80
   * @returns undefined when no rule names the host
   */
  decide(host: string, port: number | undefined): EgressDecision | undefined {
    const exact = this.#hosts.exact(host);
    const rule = exact ?? this.#hosts.below(host);
    if (rule === undefined) return undefined;
    const { name, ports, httpPort } = rule;
    if (port !== undefined && ports.length > 0 && !ports.includes(port)) {
      return {
        allowed: false,
        rule: name,
        reason: `egressRule.${name} allows the ports ${ports.join(', ')} of ${host}, not ${port}`,
      };
    }
    return { allowed: true, rule: name, port: port ?? httpPort, exact: exact !== undefined };
  }
}
