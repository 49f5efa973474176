import { Rejection } from '../errors.js';
import { FieldBundle, type Direction, type Invocation } from '../invocation.js';

/** One line per sidecar that forwarded the request: `{id}.o` outbound, `{id}.i` inbound. */
const HOP_FIELD = 'x-mesher-hop';

/**
 * Finds a request that comes back to the sidecar that has already forwarded it in the same direction. Hops of the other direction
 * are forgotten on the way: between them stands an application, which may call back as it likes.
 */
export class LoopGuard {
  readonly #own: string;
  readonly #otherSuffix: string;
  readonly #mark: FieldBundle;

  /** @param sidecarId unique per sidecar process */
  constructor(sidecarId: string, direction: Direction) {
    this.#own = `${sidecarId}.${direction === 'outbound' ? 'o' : 'i'}`;
    this.#otherSuffix = direction === 'outbound' ? '.i' : '.o';
    this.#mark = new FieldBundle([[HOP_FIELD, this.#own]]);
  }

  /** Leaves this sidecar's mark on the request, or refuses it. */
  check(call: Invocation): Rejection | undefined {
    const hops = call.header(HOP_FIELD);
    if (hops !== undefined) {
      if (hops === this.#own || hops.split(', ').includes(this.#own)) {
        return new Rejection(
          'MESH_ERR_LOOP',
          `The ${call.direction} call to ${call.authority} came back to this sidecar: the address registered for that service leads to the caller's own sidecar`,
        );
      }
      if (hops.endsWith(this.#otherSuffix)) call.removeHeader(HOP_FIELD);
    }
    call.addFields(this.#mark);
    return undefined;
  }
}
