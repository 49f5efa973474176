import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

const FENCE = /^( {0,3})(`{3,}|~{3,})[^\n]*\n([^]*?)^ {0,3}\2[^\n]*$/gm;
const INLINE_LINK = /\[(?:[^\][]|\[[^\]]*\])*\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g;
const LINK_DEFINITION = /^ {0,3}\[[^\]]+\]:\s+<?(\S+?)>?\s*$/gm;
const HEADING = /^ {0,3}#{1,6}\s+(.+?)\s*#*\s*$/gm;

/** The content of every fenced code block. */
function codeBlocks(markdown) {
  return [...markdown.matchAll(FENCE)].map((match) => match[3]);
}

function withoutCode(markdown) {
  return markdown.replace(FENCE, '').replace(/(`+)[^`]*?\1/g, '');
}

/** The anchors of a page, made from its headings as repository hosts do: lower case, no punctuation, hyphens for spaces. */
function anchors(markdown) {
  const seen = new Map();
  const found = new Set();
  for (const [, heading] of markdown.replace(FENCE, '').matchAll(HEADING)) {
    const text = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/[`*]/g, '');
    const slug = text
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-');
    const times = seen.get(slug) ?? 0;
    seen.set(slug, times + 1);
    found.add(times === 0 ? slug : `${slug}-${times}`);
  }
  return found;
}

function checkLink(root, file, link) {
  if (/^(?:[a-z][a-z0-9+.-]*:|\/\/)/i.test(link)) return undefined;
  const [target, anchor] = link.split('#');
  const page = target === '' ? file : path.posix.join(path.posix.dirname(file), decodeURIComponent(target));
  const absolute = path.join(root, page);
  if (page.startsWith('../') || !existsSync(absolute)) return `leads to ${page}, which does not exist`;
  if (!anchor || !page.endsWith('.md') || statSync(absolute).isDirectory()) return undefined;
  if (anchors(readFileSync(absolute, 'utf8')).has(decodeURIComponent(anchor).toLowerCase())) return undefined;
  return `leads to #${anchor}, which is no heading of ${page}`;
}

/**
 * Relative links in Markdown files lead to files and headings that exist.
 *
 * @param {string} root
 * @param {readonly string[]} files
 * @returns {string[]} problems
 */
export function checkMarkdownLinks(root, files) {
  const problems = [];
  for (const file of files.filter((name) => name.endsWith('.md'))) {
    const text = withoutCode(readFileSync(path.join(root, file), 'utf8'));
    for (const [, link] of [...text.matchAll(INLINE_LINK), ...text.matchAll(LINK_DEFINITION)]) {
      const problem = checkLink(root, file, link);
      if (problem) problems.push(`${file}: the link (${link}) ${problem}.`);
    }
  }
  return problems;
}

/** The two commands that a fresh clone needs, in the order in which a reader meets them. */
const SET_UP_COMMANDS = ['npm ci && npm start', 'npm cit'];

/**
 * The README shows both set-up commands, each alone on a line of a code block, and both exist.
 *
 * @param {string} root
 * @returns {string[]} problems
 */
export function checkReadme(root) {
  const file = path.join(root, 'README.md');
  if (!existsSync(file)) return ['README.md: is missing.'];
  const lines = codeBlocks(readFileSync(file, 'utf8')).flatMap((block) => block.split('\n').map((line) => line.trim()));
  const positions = SET_UP_COMMANDS.map((command) => lines.indexOf(command));
  const problems = SET_UP_COMMANDS.filter((_, index) => positions[index] < 0).map(
    (command) => `README.md: no code block has the line "${command}".`,
  );
  if (problems.length === 0 && positions[0] > positions[1]) {
    problems.push(`README.md: "${SET_UP_COMMANDS[0]}" must come before "${SET_UP_COMMANDS[1]}".`);
  }
  problems.push(...unlinkedGuides(root, readFileSync(file, 'utf8')));
  const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  for (const script of ['start', 'test']) {
    if (!scripts?.[script]) problems.push(`package.json: the README needs the script "${script}".`);
  }
  return problems;
}

/** A guide that the README does not link is found by nobody. */
function unlinkedGuides(root, readme) {
  const folder = path.join(root, 'docs/guides');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.md') && !readme.includes(`](docs/guides/${name}`))
    .map((name) => `README.md: has no link to docs/guides/${name}.`);
}
