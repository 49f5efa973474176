/** One thing that was decided, in the order in which it was. */
export interface TrailStep {
  /** What it is about, such as `direction`. */
  readonly stage: string;
  readonly decision: string;
}

/** Takes down what is decided about a connection, and why; handed to those who decide when somebody asks, and to nobody else. */
export class Trail {
  readonly steps: TrailStep[] = [];

  say(stage: string, decision: string): void {
    this.steps.push({ stage, decision });
  }
}
