/** A method as a configuration names it: `package.Service/Method`, or `package.Service/*` for all of a service. */
export const GRPC_METHOD: RegExp = /^\/?[A-Za-z_][\w.]*\/(?:\*|[A-Za-z_]\w*)$/;

/** A set of gRPC methods. Asking it costs one or two lookups. */
export class GrpcMethods {
  readonly #paths = new Set<string>();
  /** `/package.Service/` of those with all their methods. */
  readonly #services = new Set<string>();

  /** @param names each as {@link GRPC_METHOD} */
  constructor(readonly names: readonly string[]) {
    for (const name of names) {
      const path = name.startsWith('/') ? name : `/${name}`;
      if (path.endsWith('/*')) this.#services.add(path.slice(0, -1));
      else this.#paths.add(path);
    }
  }

  /** @param path of the call, `/package.Service/Method` */
  has(path: string): boolean {
    if (this.#paths.has(path)) return true;
    return this.#services.size > 0 && this.#services.has(path.slice(0, path.lastIndexOf('/') + 1));
  }
}
