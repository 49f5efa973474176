import type { MeshDocument } from '../../config/document.js';
import type { CallProtocol } from '../../invocation.js';
import { HostIndex } from './host-pattern.js';

const HTTP_PORT = 80;

/** Names of protocols in rules that serve a call, best first. */
const SERVES: Readonly<Record<CallProtocol, readonly string[]>> = {
  http: ['http', 'http2'],
  grpc: ['grpc', 'http2', 'http'],
  tcp: ['tcp'],
};

/** Names of protocols in rules that say that the port takes HTTP/2, and from the first byte. */
const HTTP2_NAMES: ReadonlySet<string> = new Set(['grpc', 'http2', 'h2c']);

/** A rule, compiled. */
interface CompiledEgressRule {
  readonly name: string;
  /** Ports that may be called; any when empty. */
  readonly ports: readonly number[];
  /** Where calls go that name no port. */
  readonly portFor: Readonly<Record<CallProtocol, number>>;
  /** Those of {@link ports} that take HTTP/2. */
  readonly http2Ports: ReadonlySet<number>;
}

/** What the rules say about a host and port. */
export type EgressDecision =
  | {
      readonly allowed: true;
      readonly rule: string;
      readonly port: number;
      /** The rule names this very host: it may lead wherever it does. */
      readonly exact: boolean;
      /** The rule says that HTTP/2 is spoken at the port. */
      readonly speaksHttp2: boolean;
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
        const portFor = (call: CallProtocol): number => {
          const named = SERVES[call].map((wanted) => ports.find(({ protocol }) => protocol.toLowerCase() === wanted));
          // Bytes go to whatever port there is.
          const first = named.find((one) => one !== undefined) ?? (call === 'tcp' ? ports[0] : undefined);
          return first?.port ?? HTTP_PORT;
        };
        const rule = {
          name,
          ports: ports.map(({ port }) => port ?? HTTP_PORT),
          http2Ports: new Set(
            ports
              .filter(({ protocol }) => HTTP2_NAMES.has(protocol.toLowerCase()))
              .map(({ port }) => port ?? HTTP_PORT),
          ),
          portFor: { http: portFor('http'), grpc: portFor('grpc'), tcp: portFor('tcp') },
        };
        for (const host of hosts ?? []) this.#hosts.add(host, rule);
      }
    }
  }

  /**
   * @param host in lower case, without brackets
   * @param port the one in the URL; without it the first port of the rule for the protocol is meant, else 80
   * @returns undefined when no rule names the host
   */
  decide(host: string, port: number | undefined, protocol: CallProtocol): EgressDecision | undefined {
    const exact = this.#hosts.exact(host);
    const rule = exact ?? this.#hosts.below(host);
    if (rule === undefined) return undefined;
    const { name, ports, portFor, http2Ports } = rule;
    if (port !== undefined && ports.length > 0 && !ports.includes(port)) {
      return {
        allowed: false,
        rule: name,
        reason: `egressRule.${name} allows the ports ${ports.join(', ')} of ${host}, not ${port}`,
      };
    }
    const chosen = port ?? portFor[protocol];
    return {
      ...{ allowed: true, rule: name, port: chosen },
      ...{ exact: exact !== undefined, speaksHttp2: http2Ports.has(chosen) },
    };
  }
}
