/** Bounds of one configuration file. */
export interface YamlLimits {
  /** Values per file, aliases expanded; a file that grows beyond it by aliases is an attack or an accident. */
  readonly maxNodes: number;
  readonly maxDepth: number;
  /** How often aliases (`*name`) may be used in one file. */
  readonly maxAliasCount: number;
}

/** Far above any real file (the largest known has some 400 values), far below what would be felt at the start. */
export const YAML_LIMITS: YamlLimits = { maxNodes: 50_000, maxDepth: 64, maxAliasCount: 100 };
