import type { Notice, Origin, Problem } from '../problem.js';
import type { LegacyRenamer } from '../rename-legacy.js';
import type { ConfigEntry } from '../tree/config-node.js';
import type { ParsedYaml } from '../yaml/parse-yaml.js';

/** What a config source says at the moment. */
export interface SourceLayer {
  /** Shown in messages: `kie`. */
  readonly name: string;
  /** Values by dotted key, as they would stand in a YAML file; of two that set the same key the later one wins. */
  readonly entries: ReadonlyMap<string, string>;
  /** Names among `entries` that are no keys, but whole YAML texts. */
  readonly documents?: ReadonlySet<string>;
}

/** All that config sources say. */
export interface SourceValues {
  readonly entries: readonly ConfigEntry[];
  readonly notices: readonly Notice[];
  /** Mistakes in the YAML of whole texts. */
  readonly problems: readonly Problem[];
}

/** A source cannot say which source is asked: the answer would have to be known before the question. */
const CHOICE_OF_SOURCE = 'servicecomb.config';

/**
 * The values of config sources; of two sources that set the same key the later one wins. Old spellings count like present ones.
 * What cannot be used is left out and said.
 * @param parseYaml reads a whole text; its positions carry the name of source and text
 */
export function readSources(
  layers: readonly SourceLayer[],
  renamer: LegacyRenamer,
  parseYaml: (text: string, file: string) => ParsedYaml,
): SourceValues {
  const entries: ConfigEntry[] = [];
  const notices: Notice[] = [];
  const problems: Problem[] = [];
  const add = (entry: ConfigEntry): void => {
    const path = entry.path.join('.');
    if (path.startsWith(`${CHOICE_OF_SOURCE}.`)) {
      const message = 'is not used: a config source cannot say which config source is asked; set it in a file';
      notices.push({ kind: 'overruled', origin: entry.leaf.origin, path, message });
    } else entries.push(entry);
  };
  for (const { name, entries: values, documents } of layers) {
    for (const [key, text] of values) {
      if (documents?.has(key) === true) {
        const parsed = parseYaml(text, `${name}: ${key}`);
        const renamed = renamer.rename(parsed.entries);
        renamed.entries.forEach(add);
        notices.push(...parsed.notices, ...renamed.notices);
        problems.push(...parsed.problems);
        continue;
      }
      const origin: Origin = { layer: 'source', name, key };
      const written = key.split('.');
      if (written.includes('')) {
        notices.push({ kind: 'hint', origin, path: key, message: 'is no key: a part between two dots is empty' });
        continue;
      }
      const path = renamer.presentPath(written);
      add({ path, keyOrigins: path.map(() => origin), leaf: { kind: 'scalar', text, origin } });
    }
  }
  return { entries, notices, problems };
}
