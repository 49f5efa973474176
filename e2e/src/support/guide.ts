import { readFile } from 'node:fs/promises';

/** A block of code on a page of the documentation. */
export interface GuideBlock {
  /** What the fence says: `sh`, `text`, `yaml`. */
  readonly language: string;
  readonly code: string;
}

/** The blocks of a guide in docs/guides, in their order: tests run what readers type, so that no page can tell what is not so. */
export async function guideBlocks(name: string): Promise<GuideBlock[]> {
  const page = await readFile(new URL(`../../../docs/guides/${name}.md`, import.meta.url), 'utf8');
  return [...page.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].map(([, language = '', code = '']) => ({ language, code }));
}
