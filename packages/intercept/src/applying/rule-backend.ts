import type { Plan, Rule } from '../planning/plan.js';

/** Difference between what is there and what shall be. */
export interface Drift {
  /** Rules of the plan that are not there, or not at their place. */
  readonly missing: readonly Rule[];
  /** What is ours and not of the plan, in the words of the program. */
  readonly surplus: readonly string[];
}

/** What was there before, so that it can be put back. */
export interface Restorable {
  restore(): Promise<void>;
}

/** A program that holds rules. */
export interface RuleBackend {
  readonly name: 'iptables-nft' | 'iptables-legacy' | 'nft';
  /** Whether something of ours is there. */
  isPresent(): Promise<boolean>;
  drift(plan: Plan): Promise<Drift>;
  /** Keeps what of ours is there now. */
  remember(): Promise<Restorable>;
  /** Puts the rules of the plan in the place of all that is ours. @returns whether something changed */
  install(plan: Plan): Promise<boolean>;
  /** The text with which {@link remove} would work; empty when nothing of ours is there. */
  removalText(): Promise<string>;
  /** Removes all that is ours and nothing else. @returns whether there was something */
  remove(): Promise<boolean>;
  /** Signs that this is the network of a node with containers, not of one of them; undefined when there are none. */
  nodeSign(): Promise<string | undefined>;
}
