/** A Consul agent that is running, the double or the real one. */
export interface Target {
  /** `http://127.0.0.1:8500` */
  readonly url: string;
  /** Only where access control is on. */
  readonly tokens?: { readonly root: string; readonly limited: string; readonly nodeless: string };
}

/** What a behaviour needs beyond the defaults of an agent. */
export interface Needs {
  /** Access control with the default policy `deny`, and tokens with {@link LIMITED_RULES} and {@link NODELESS_RULES}. */
  readonly acl?: boolean;
  /** Takes seconds of real time: the shortest interval of a check is 1 s. */
  readonly slow?: boolean;
}

/** One promise of a Consul agent. Names are unique to the run, so one agent may serve any number of them. */
export interface ConsulBehaviour {
  /** Continues "it". */
  readonly title: string;
  readonly needs?: Needs;
  /** @throws AssertionError when the promise is not kept */
  check(target: Target): Promise<void>;
}

/** Beginning of the names and keys that the limited token may read and write. */
export const LIMITED_PREFIX = 'mine-';

/** What the token without nodes may do: it sees no instance, because each comes with its node. */
export const NODELESS_RULES = `
service_prefix "${LIMITED_PREFIX}" { policy = "write" }
key_prefix "${LIMITED_PREFIX}" { policy = "write" }
`;

/** What the limited token may do, in the words of Consul's policies. */
export const LIMITED_RULES = `${NODELESS_RULES}
node_prefix "" { policy = "read" }
`;
