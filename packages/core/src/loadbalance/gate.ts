import type { Endpoint } from '../registry/endpoint.js';

/**
 * Which endpoints are let through:
 * `fit`: those that neither rest nor are barred; `panic`: also those that are barred, since too few would be left;
 * `all`: even those that refuse connections, since nobody else is there.
 */
export type GateMode = 'fit' | 'panic' | 'all';

/** Says of an endpoint whether it takes calls at present. One object per set of endpoints; its mode changes. */
export class Gate {
  mode: GateMode = 'fit';

  passes(endpoint: Endpoint): boolean {
    if (!endpoint.isOut) return true;
    return this.mode === 'fit' ? false : this.mode === 'all' || endpoint.restingUntil === 0;
  }
}
