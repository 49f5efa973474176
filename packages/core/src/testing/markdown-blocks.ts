/** A fenced code block of a Markdown page. */
export interface CodeBlock {
  /** What follows the fence: `js`, `yaml`, … */
  readonly language: string;
  readonly text: string;
  /** The file that its first line names in a comment: `// app.mjs`, `# conf/mesher.yaml`. */
  readonly file: string | undefined;
}

const FENCED = /^```(\w*)\n([^]*?)^```$/gm;
const FIRST_LINE_NAMES_FILE = /^(?:\/\/|#) ([\w./-]+)\n/;

/** The fenced code blocks of a page, in order. For tests that run what a page shows. */
export function codeBlocks(markdown: string): CodeBlock[] {
  return Array.from(markdown.matchAll(FENCED), ([, language = '', text = '']) => ({
    language,
    text,
    file: FIRST_LINE_NAMES_FILE.exec(text)?.[1],
  }));
}
