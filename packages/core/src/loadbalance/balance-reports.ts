import type { MeshEvents } from '../telemetry/mesh-events.js';
import type { LabelledCounter } from '../telemetry/policy-metrics.js';
import type { EjectionReason } from './outlier.js';

/** Tells people what became of endpoints: events and counters. */
export class BalanceReports {
  constructor(
    private readonly events: MeshEvents | undefined = undefined,
    private readonly ejections: LabelledCounter | undefined = undefined,
  ) {}

  ejected(service: string, endpoint: string, reason: EjectionReason, forMs: number): void {
    this.ejections?.add([service, reason]);
    this.events?.emit(
      'endpoint-ejected',
      service,
      `${endpoint} of ${service} gets no calls for ${forMs / 1000} s because of ${reason.replaceAll('-', ' ')}`,
      { endpoint, reason, forMs },
    );
  }

  returned(service: string, endpoint: string): void {
    this.events?.emit('endpoint-returned', service, `${endpoint} of ${service} gets calls again`, { endpoint });
  }

  /** @param set which endpoints of the service, for people: `http`, `http version=v2` */
  panicBegan(service: string, set: string, fit: number, all: number): void {
    this.events?.emit(
      'panic-began',
      service,
      `only ${fit} of ${all} endpoints of ${service} (${set}) are fit: all that can be reached get calls`,
      { set, fit, all },
    );
  }

  panicEnded(service: string, set: string, fit: number, all: number): void {
    this.events?.emit(
      'panic-ended',
      service,
      `${fit} of ${all} endpoints of ${service} (${set}) are fit: the others are passed over again`,
      { set, fit, all },
    );
  }
}
