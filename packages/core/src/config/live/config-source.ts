/** All that a source says at one moment. */
export interface SourceSnapshot {
  /** Identifies the content; shown to people. */
  readonly revision: string;
  /** Values by dotted key, as they would stand in a YAML file: a scalar, or a text that is YAML itself. */
  readonly entries: ReadonlyMap<string, string>;
  /**
   * Names among `entries` that are no keys, but whole YAML texts like a configuration file. Of entries that set the same key the later
   * one wins.
   */
  readonly documents?: ReadonlySet<string>;
}

/** A place of configuration besides files; its values win over those of files and environment, as go-archaius has it. */
export interface ConfigSource {
  readonly name: string;
  /**
   * Yields what the source says: at first, and whenever it changed. Ends when the signal aborts; an error is reported by throwing,
   * and the caller comes again after a pause.
   */
  watch(signal: AbortSignal): AsyncIterable<SourceSnapshot>;
}
