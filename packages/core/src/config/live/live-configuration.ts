import { silentLogger, type Logger } from '../../telemetry/logger.js';
import type { MeshDocument } from '../document.js';

/** Told after a document took the place of another. All that can be wrong with it was found when it was checked. */
export type ConfigurationListener = (document: MeshDocument, previous: MeshDocument) => void;

/**
 * Asked before a document takes the place of another, for what no schema can tell: a plugin that a rule names and nobody has.
 * @throws MeshError to keep the present document
 */
export type ConfigurationCheck = (document: MeshDocument) => void;

/** The configuration that is in effect. Whoever compiles something from it listens, and compiles again what changed. */
export class LiveConfiguration {
  #document: MeshDocument;
  readonly #listeners: ConfigurationListener[] = [];
  readonly #checks: ConfigurationCheck[] = [];

  constructor(
    document: MeshDocument,
    private readonly logger: Logger = silentLogger(),
  ) {
    this.#document = document;
  }

  get document(): MeshDocument {
    return this.#document;
  }

  /** Listeners are told in the order in which they came. */
  onChange(listener: ConfigurationListener): void {
    this.#listeners.push(listener);
  }

  /** Adds a check that every later document must pass. */
  onCheck(check: ConfigurationCheck): void {
    this.#checks.push(check);
  }

  /**
   * Asks all checks about a document that might take the place of the present one.
   * @throws MeshError of the first check that refuses it
   */
  check(document: MeshDocument): void {
    for (const check of this.#checks) check(document);
  }

  /**
   * Puts a checked document in the place of the present one and tells everybody, all in one turn: no call is decided about in between.
   * A listener that throws is logged and does not keep the others from the change.
   */
  swap(document: MeshDocument): void {
    const previous = this.#document;
    this.#document = document;
    for (const listener of this.#listeners) {
      try {
        listener(document, previous);
      } catch (error) {
        this.logger.error({ error }, 'a part of Mesher did not take over the new configuration');
      }
    }
  }
}
