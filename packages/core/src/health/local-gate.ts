import { Rejection } from '../errors.js';

/** Whether calls to the local application are let through. Open unless somebody who knows how it is closes it. */
export class LocalGate {
  #closedBecause: (() => string) | undefined;

  /** Why it is closed; undefined while it is open. */
  get closedBecause(): string | undefined {
    return this.#closedBecause?.();
  }

  /** @param reason for the caller, one line; asked for with each call, because it may change while the gate stays closed */
  close(reason: () => string): void {
    this.#closedBecause = reason;
  }

  open(): void {
    this.#closedBecause = undefined;
  }

  /** The answer for a call that comes now; undefined to let it through. */
  check(): Rejection | undefined {
    const { closedBecause } = this;
    return closedBecause === undefined ? undefined : new Rejection('MESH_ERR_LOCAL_DOWN', closedBecause);
  }
}
