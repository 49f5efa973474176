import type { Notice, Origin } from '../problem.js';
import type { LegacyRenamer } from '../rename-legacy.js';
import type { ConfigEntry } from '../tree/config-node.js';

/** What a config source says at the moment. */
export interface SourceLayer {
  /** Shown in messages: `kie`. */
  readonly name: string;
  /** Values by dotted key, as they would stand in a YAML file. */
  readonly entries: ReadonlyMap<string, string>;
}

/** A source cannot say which source is asked: the answer would have to be known before the question. */
const CHOICE_OF_SOURCE = 'servicecomb.config';

/**
 * The values of config sources; of two sources that set the same key the later one wins. Old spellings count like present ones.
 * What cannot be used is left out and said.
 */
export function readSources(
  layers: readonly SourceLayer[],
  renamer: LegacyRenamer,
): { entries: ConfigEntry[]; notices: Notice[] } {
  const entries: ConfigEntry[] = [];
  const notices: Notice[] = [];
  for (const { name, entries: values } of layers) {
    for (const [key, text] of values) {
      const origin: Origin = { layer: 'source', name, key };
      const written = key.split('.');
      if (written.includes('')) {
        notices.push({ kind: 'hint', origin, path: key, message: 'is no key: a part between two dots is empty' });
        continue;
      }
      const path = renamer.presentPath(written);
      if (path.join('.').startsWith(`${CHOICE_OF_SOURCE}.`)) {
        const message = 'is not used: a config source cannot say which config source is asked; set it in a file';
        notices.push({ kind: 'overruled', origin, path: path.join('.'), message });
        continue;
      }
      entries.push({ path, keyOrigins: path.map(() => origin), leaf: { kind: 'scalar', text, origin } });
    }
  }
  return { entries, notices };
}
