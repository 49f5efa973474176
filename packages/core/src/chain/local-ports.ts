import { Rejection } from '../errors.js';
import type { CallProtocol, Invocation } from '../invocation.js';
import type { ServicePort } from '../config/service-ports.js';
import { Endpoint } from '../registry/endpoint.js';

/** Ports that callers named and that were not declared, kept as endpoints; the bound stops a scan from filling the memory. */
const MAX_UNDECLARED = 64;

/** Field with the port that the caller wrote into the URL. */
const PORT_FIELD = 'x-forwarded-port';

/** Protocol names under which a port for each kind of call may be declared, best first. */
const DECLARED_AS: Readonly<Record<CallProtocol, readonly string[]>> = {
  http: ['rest'],
  grpc: ['grpc'],
  tcp: ['tcp'],
};

const FLAG_FOR: Readonly<Record<CallProtocol, string>> = { http: 'rest', grpc: 'grpc', tcp: 'tcp' };

/**
 * To which local port an inbound call goes: the port in `X-Forwarded-Port` if it is declared (or if none is declared at all), else
 * the declared port of the protocol. Always on loopback, and never one of Mesher's own ports.
 */
export class LocalPorts {
  readonly #declared = new Map<number, Endpoint>();
  readonly #byProtocol = new Map<string, Endpoint>();
  readonly #undeclared = new Map<number, Endpoint>();

  /**
   * @param declared from `--service-ports`
   * @param isOwn true for a port on which this very sidecar listens
   * @param host address of the local application
   */
  constructor(
    declared: readonly ServicePort[],
    private readonly isOwn: (port: number) => boolean,
    private readonly host: string = '127.0.0.1',
  ) {
    for (const { protocol, name, port } of declared) {
      let endpoint = this.#declared.get(port);
      if (endpoint === undefined) {
        endpoint = new Endpoint(host, port);
        this.#declared.set(port, endpoint);
      }
      if (name === undefined) this.#byProtocol.set(protocol, endpoint);
    }
  }

  target(call: Invocation): Endpoint | Rejection {
    const named = call.header(PORT_FIELD);
    const fromHeader = named === undefined ? undefined : this.#named(named);
    if (fromHeader !== undefined) return fromHeader;
    for (const protocol of DECLARED_AS[call.protocol]) {
      const endpoint = this.#byProtocol.get(protocol);
      if (endpoint !== undefined) return endpoint;
    }
    const flag = FLAG_FOR[call.protocol];
    return new Rejection(
      'MESH_ERR_NO_LOCAL_PORT',
      `This sidecar does not know the local port for ${call.protocol}`,
      undefined,
      `Start it with --service-ports=${flag}:PORT (or SERVICE_PORTS=${flag}:PORT), or call with the port in the URL`,
    );
  }

  #named(text: string): Endpoint | undefined {
    if (!/^\d{1,5}$/.test(text)) return undefined;
    const port = Number(text);
    if (port < 1 || port > 65_535 || this.isOwn(port)) return undefined;
    // Load balancers set this field, too, to their own port (443): what is not declared is not meant for us.
    if (this.#declared.size > 0) return this.#declared.get(port);
    let endpoint = this.#undeclared.get(port);
    if (endpoint === undefined) {
      endpoint = new Endpoint(this.host, port);
      if (this.#undeclared.size >= MAX_UNDECLARED) {
        const oldest = this.#undeclared.keys().next().value as number;
        (this.#undeclared.get(oldest) as Endpoint).retired = true;
        this.#undeclared.delete(oldest);
      }
      this.#undeclared.set(port, endpoint);
    }
    return endpoint;
  }
}
