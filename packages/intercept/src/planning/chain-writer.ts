import type { Cidr } from '../settings/cidr.js';
import type { PortSet } from '../settings/port-set.js';
import type { Action, ChainName, Family, Hook, Match, Rule, Table } from './plan.js';
import { portChunks } from './port-chunks.js';

/** Writes the rules of one chain, one after the other. */
export class ChainWriter {
  readonly rules: Rule[] = [];

  constructor(
    readonly family: Family,
    readonly table: Table,
    readonly chain: ChainName | Hook,
  ) {}

  add(reason: string, match: Match, action: Action): this {
    this.rules.push({ family: this.family, table: this.table, chain: this.chain, match, action, reason });
    return this;
  }

  /** One rule per group of ports that fits into one. */
  addPorts(reason: string, ports: PortSet, match: Match, action: Action): this {
    for (const chunk of portChunks(ports)) {
      this.add(reason, chunk === undefined ? match : { ...match, ports: chunk }, action);
    }
    return this;
  }

  /** The networks of this family; undefined stands for everywhere. */
  networks(cidrs: '*' | readonly Cidr[]): readonly (Cidr | undefined)[] {
    return cidrs === '*' ? [undefined] : cidrs.filter(({ family }) => family === this.family);
  }
}
