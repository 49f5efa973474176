import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { renderErrorsReference } from './errors-page.mjs';

const FOLDER = 'docs/reference';
const NOTICE = '<!-- Made from the code by npm run docs:reference; change the code, not this page. -->\n\n';

/** Each page, the package that it is made from, and how. `make` answers undefined when the package cannot make it yet. */
const PAGES = [
  { file: 'errors.md', from: '@mesher/core', make: ({ ERRORS }) => ERRORS && renderErrorsReference(ERRORS) },
  { file: 'metrics.md', from: '@mesher/core', make: (core) => core.renderMetricsReference?.() },
  { file: 'configuration.md', from: '@mesher/mesher', make: makeConfigurationPage },
  { file: 'admin-api.md', from: '@mesher/admin', make: (admin) => admin.renderAdminReference?.() },
  { file: 'conformance.md', from: '@mesher/core/testing', make: makeConformancePage },
  { file: 'cli.md', from: '@mesher/mesher', make: (mesher) => mesher.renderCliReference?.() },
];

/** The page of all sections that a sidecar has: those of core, of the proxy core and of the plugins that come with it. */
async function makeConfigurationPage({ sidecarSections }) {
  const { renderConfigurationReference } = await import('@mesher/core');
  return renderConfigurationReference(sidecarSections());
}

/** The page of the conformance table: what Mesher promises about calls. */
async function makeConformancePage({ loadConformanceTable, renderConformanceReference }) {
  return renderConformanceReference(await loadConformanceTable());
}

/** The pages that the built packages can make: path below the root and content. */
async function makePages() {
  const made = [];
  for (const { file, from, make } of PAGES) {
    const page = await make(await import(from));
    if (page !== undefined) made.push({ path: `${FOLDER}/${file}`, content: `${NOTICE}${page.trimEnd()}\n` });
  }
  return made;
}

/**
 * Writes every page that changed.
 *
 * @param {string} root
 * @returns {Promise<string[]>} a line per page: what happened to it
 */
export async function writePages(root) {
  const made = await makePages();
  mkdirSync(path.join(root, FOLDER), { recursive: true });
  return PAGES.map(({ file, from }) => {
    const page = made.find((candidate) => candidate.path === `${FOLDER}/${file}`);
    if (page === undefined) return `${FOLDER}/${file}: left out, ${from} exports nothing that makes it`;
    const target = path.join(root, page.path);
    if (existsSync(target) && readFileSync(target, 'utf8') === page.content) return `${page.path}: unchanged`;
    writeFileSync(target, page.content);
    return `${page.path}: written`;
  });
}

/**
 * The pages whose file is missing or says something else than the code.
 *
 * @param {string} root
 * @returns {Promise<string[]>} paths below the root
 */
export async function stalePages(root) {
  const made = await makePages();
  return made
    .filter(({ path: file, content }) => {
      const target = path.join(root, file);
      return !existsSync(target) || readFileSync(target, 'utf8') !== content;
    })
    .map((page) => page.path);
}
