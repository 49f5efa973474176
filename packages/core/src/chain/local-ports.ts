import type { ServicePort } from '../config/service-ports.js';
import { MeshError, Rejection } from '../errors.js';
import type { CallProtocol, Invocation } from '../invocation.js';
import { Endpoint, type EndpointProtocol } from '../registry/endpoint.js';
import { spokenAt } from '../registry/instance-choice.js';

/** Ports that callers named and that were not declared, kept as endpoints; the bound stops a scan from filling the memory. */
const MAX_UNDECLARED = 64;

const HIGHEST_PORT = 65_535;

/** Field with the port that the caller wrote into the URL, or with the name of a declared port. */
const PORT_FIELD = 'x-forwarded-port';

/**
 * Names under which `--service-ports` declares the port for each kind of call, best first. HTTP calls are translated for an application that
 * speaks HTTP/2 only; calls of gRPC cannot be translated for one that speaks HTTP/1.
 */
const DECLARED_AS: Readonly<Record<CallProtocol, readonly [usual: string, ...others: string[]]>> = {
  http: ['rest', 'h2c', 'grpc'],
  grpc: ['grpc', 'h2c'],
  tcp: ['tcp'],
};

const DECLARED_NAMES: ReadonlySet<string> = new Set(Object.values(DECLARED_AS).flat());

/** A port of this machine. An application listens on IPv4 loopback or on that of IPv6 (Node's `listen(8080, 'localhost')`). */
class LocalPort {
  readonly #ipv4: Endpoint;
  readonly #ipv6: Endpoint;
  /** Where the application was found; IPv4 until that is refused. */
  endpoint: Endpoint;

  constructor(port: number, speaks: EndpointProtocol) {
    this.#ipv4 = new Endpoint('127.0.0.1', port, undefined, 1, undefined, speaks);
    this.#ipv6 = new Endpoint('::1', port, undefined, 1, undefined, speaks);
    this.endpoint = this.#ipv4;
  }

  switchFrom(refused: Endpoint): Endpoint {
    this.endpoint = refused === this.#ipv4 ? this.#ipv6 : this.#ipv4;
    return this.endpoint;
  }

  retire(): void {
    this.#ipv4.retired = true;
    this.#ipv6.retired = true;
  }
}

/**
 * To which local port an inbound call goes: the port in `X-Forwarded-Port` if it is declared (or if none is declared at all), else
 * the declared port of the protocol. Always on loopback, and never one of Mesher's own ports.
 *
 * A port may be declared with a name, `rest-admin:8081`: a caller chooses it by its number, or by `admin` or `rest-admin` in
 * the field. Without a port of the bare protocol, the only named one of the protocol stands for it.
 */
export class LocalPorts {
  readonly #declared = new Map<number, LocalPort>();
  readonly #byName = new Map<string, LocalPort>();
  readonly #undeclared = new Map<number, LocalPort>();

  /**
   * @param declared from `--service-ports`
   * @param isOwn true for a port on which this very sidecar listens
   * @throws MeshError MESH_ERR_USAGE when a declared port is Mesher's own: calls would go in circles
   */
  constructor(
    declared: readonly ServicePort[],
    private readonly isOwn: (port: number) => boolean,
  ) {
    for (const { protocol, name, port } of declared) {
      if (isOwn(port)) {
        throw new MeshError(
          'MESH_ERR_USAGE',
          `--service-ports: port ${port} (${protocol}) is one of Mesher's own; name the port on which the application listens`,
        );
      }
      const local = this.#declared.get(port) ?? new LocalPort(port, spokenByAll(declared, port));
      this.#declared.set(port, local);
      this.#byName.set(name === undefined ? protocol : `${protocol}-${name}`, local);
      if (name !== undefined && !this.#byName.has(name)) this.#byName.set(name, local);
    }
    for (const protocol of DECLARED_NAMES) {
      const ofProtocol = declared.filter((one) => one.protocol === protocol);
      const only = ofProtocol.length === 1 ? this.#declared.get(ofProtocol[0]?.port ?? 0) : undefined;
      if (only !== undefined) this.#byName.set(protocol, only);
    }
  }

  target(call: Invocation): Endpoint | Rejection {
    return this.#target(call, (port) => this.#undeclaredPort(port));
  }

  /** The same answer as that of {@link target}, of which nothing is kept; for people who ask. */
  preview(call: Invocation): Endpoint | Rejection {
    return this.#target(call, (port) => new LocalPort(port, 'any'));
  }

  #target(call: Invocation, undeclared: (port: number) => LocalPort): Endpoint | Rejection {
    const chosen = call.header(PORT_FIELD);
    const fromHeader = chosen === undefined ? undefined : this.#chosen(chosen, undeclared);
    if (fromHeader !== undefined) {
      const { endpoint } = fromHeader;
      return call.protocol === 'grpc' && endpoint.speaks === 'http1' ? speaksNoGrpc(endpoint) : endpoint;
    }
    for (const name of DECLARED_AS[call.protocol]) {
      const local = this.#byName.get(name);
      if (local !== undefined) return local.endpoint;
    }
    return this.#unknown(call.protocol);
  }

  /**
   * After `refused` refused a connection: the same port on the loopback address of the other family, where the next calls go
   * first, too; undefined for an endpoint that is none of these.
   */
  otherFamily(refused: Endpoint): Endpoint | undefined {
    const local = this.#declared.get(refused.port) ?? this.#undeclared.get(refused.port);
    return local?.switchFrom(refused);
  }

  #chosen(text: string, undeclared: (port: number) => LocalPort): LocalPort | undefined {
    if (!/^\d{1,5}$/.test(text)) return this.#byName.get(text);
    const port = Number(text);
    if (port < 1 || port > HIGHEST_PORT || this.isOwn(port)) return undefined;
    // Load balancers set this field, too, to their own port (443): what is not declared is not meant for us.
    return this.#declared.size > 0 ? this.#declared.get(port) : undeclared(port);
  }

  #undeclaredPort(port: number): LocalPort {
    let local = this.#undeclared.get(port);
    if (local === undefined) {
      for (const [oldest, given] of this.#undeclared) {
        if (this.#undeclared.size < MAX_UNDECLARED) break;
        given.retire();
        this.#undeclared.delete(oldest);
      }
      local = new LocalPort(port, 'any');
      this.#undeclared.set(port, local);
    }
    return local;
  }

  #unknown(protocol: CallProtocol): Rejection {
    const [flag] = DECLARED_AS[protocol];
    const names = [...this.#byName.keys()].filter((name) =>
      DECLARED_AS[protocol].some((usual) => name.startsWith(`${usual}-`)),
    );
    return new Rejection(
      'MESH_ERR_NO_LOCAL_PORT',
      names.length > 1
        ? `This sidecar knows several local ports for ${protocol} (${names.join(', ')}), and the call chooses none`
        : `This sidecar does not know the local port for ${protocol}`,
      undefined,
      `Start it with --service-ports=${flag}:PORT (or SERVICE_PORTS=${flag}:PORT), or call with the port in the URL`,
    );
  }
}

/** The caller has chosen a port that is declared for HTTP/1, into which calls of gRPC cannot be translated. */
function speaksNoGrpc({ port }: Endpoint): Rejection {
  return new Rejection(
    'MESH_ERR_NO_LOCAL_PORT',
    `The call names port ${port}, which is declared for HTTP/1, and gRPC is not translated`,
    undefined,
    `Call without a port in the target, or, if gRPC is spoken there, start the called sidecar with --service-ports=grpc:${port}`,
  );
}

/** A port that is declared for HTTP/1 and for HTTP/2 (`rest:8080,grpc:8080`) is one of a server that tells them apart. */
function spokenByAll(declared: readonly ServicePort[], port: number): EndpointProtocol {
  const [first = 'any', ...others] = declared
    .filter((one) => one.port === port)
    .map(({ protocol }) => spokenAt(protocol));
  return others.every((other) => other === first) ? first : 'any';
}
