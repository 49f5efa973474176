import type { HeaderEditsConfig } from '../config/sections/route-rules.js';
import { FieldBundle, type Field, type Invocation } from '../invocation.js';

/** Edits of the header fields of requests and their answers, compiled. They were checked when the configuration was read. */
export class HeaderEdits {
  readonly #removed: readonly string[];
  readonly #added: FieldBundle | undefined;
  readonly #removedFromAnswer: readonly string[];
  readonly #addedToAnswer: readonly Field[];

  private constructor({ request, response }: HeaderEditsConfig) {
    this.#removed = [...request.set.keys(), ...request.remove];
    const added = [...request.set, ...request.add];
    this.#added = added.length === 0 ? undefined : new FieldBundle(added);
    this.#removedFromAnswer = [...response.set.keys(), ...response.remove].map((name) => name.toLowerCase());
    this.#addedToAnswer = [...response.set, ...response.add];
  }

  /** @returns undefined when there is nothing to edit */
  static of(config: HeaderEditsConfig): HeaderEdits | undefined {
    const isEmpty = [config.request, config.response].every(
      ({ set, add, remove }) => set.size === 0 && add.size === 0 && remove.length === 0,
    );
    return isEmpty ? undefined : new HeaderEdits(config);
  }

  apply(call: Invocation): void {
    for (const name of this.#removed) call.removeHeader(name);
    if (this.#added !== undefined) call.addFields(this.#added);
    if (this.#removedFromAnswer.length > 0) this.#clearAnswer(call);
    for (const [name, value] of this.#addedToAnswer) call.addResponseField(name, value);
  }

  /** Out of the answer of the upstream, and out of what an edit before this one (that of the rule, for a route) has added to it. */
  #clearAnswer(call: Invocation): void {
    for (const name of this.#removedFromAnswer) call.removeResponseField(name);
    const added = call.responseFields;
    if (added === undefined) return;
    call.responseFields = added.filter(([name]) => !this.#removedFromAnswer.includes(name.toLowerCase()));
  }
}
