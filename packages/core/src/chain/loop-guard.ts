import { Rejection } from '../errors.js';
import { FieldBundle, type Direction, type Invocation } from '../invocation.js';
import { DEFAULT_LOOP_OPTIONS, type LoopOptions } from './loop-options.js';

/**
 * One mark per sidecar that forwarded the request: id, direction and number of the hop, `5f0c2a9be117.o1`, `8d41f3360a2c.i2`.
 * Marks of several fields come joined by commas.
 */
const HOP_FIELD = 'x-mesher-hop';

/**
 * Stops requests that go in circles.
 *
 * A request that reaches the same sidecar in the same direction again goes in a circle, unless an application has called back in
 * between. An application that passes all fields on looks just like a sidecar; so the outbound side, which is where an
 * application's own calls begin, forgets the marks if the last one is from an inbound side. A circle through an
 * inbound side without an application (a local port that leads to another sidecar) is therefore not seen by its marks, but by their number.
 */
export class LoopGuard {
  readonly #own: string;
  readonly #marks: FieldBundle[];

  /** @param sidecarId unique per sidecar process, without a dot */
  constructor(
    sidecarId: string,
    private readonly direction: Direction,
    options: LoopOptions = DEFAULT_LOOP_OPTIONS,
  ) {
    this.#own = `${sidecarId}.${letterOf(direction)}`;
    this.#marks = Array.from(
      { length: options.maxHops },
      (_, hop) => new FieldBundle([[HOP_FIELD, `${this.#own}${hop + 1}`]]),
    );
  }

  /** Leaves this sidecar's mark on the request, or refuses it. */
  check(call: Invocation): Rejection | undefined {
    const marks = call.header(HOP_FIELD);
    if (marks === undefined) {
      call.addFields(this.#marks[0] as FieldBundle);
      return undefined;
    }
    const last = marks.lastIndexOf('.') + 1;
    if (this.direction === 'outbound' && marks.startsWith(letterOf('inbound'), last)) call.removeHeader(HOP_FIELD);
    else if (marks.includes(this.#own)) return this.#cameBack(call);
    // What is no number is no mark of ours: it counts as one hop.
    const hops = Number(marks.slice(last + 1));
    const mark = this.#marks[Number.isInteger(hops) && hops > 0 ? hops : 1];
    if (mark === undefined) return this.#tooFar(call, hops);
    call.addFields(mark);
    return undefined;
  }

  #cameBack(call: Invocation): Rejection {
    return new Rejection(
      'MESH_ERR_LOOP',
      `The ${this.direction} call to ${call.authority} came back to this sidecar: the address registered for that service leads to the caller's own sidecar`,
    );
  }

  #tooFar(call: Invocation, hops: number): Rejection {
    return new Rejection(
      'MESH_ERR_LOOP',
      `The ${this.direction} call to ${call.authority} has passed ${hops} sidecars: it goes in circles`,
      undefined,
      'Check on each sidecar of the path that --service-ports names the port of the application, not that of another sidecar; if the path is meant, raise mesher.loopGuard.maxHops',
    );
  }
}

function letterOf(direction: Direction): string {
  return direction === 'outbound' ? 'o' : 'i';
}
