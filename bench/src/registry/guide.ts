import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url));
const GUIDE = join(REPOSITORY, 'docs/guides/large-registries.md');

/** Pictures of the guides. */
export const IMAGES: string = join(REPOSITORY, 'docs/images');

/** Replaces what stands between the two marks of a part of the guide. @throws Error when the guide has no such part */
export function writePart(name: string, content: string): void {
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`];
  const [before, rest] = readFileSync(GUIDE, 'utf8').split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`the guide has no part ${name}`);
  writeFileSync(GUIDE, `${before}${begin}\n\n${content}\n\n${end}${after}`);
}
