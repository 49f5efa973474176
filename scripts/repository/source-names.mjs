const SOURCE = /^(?:packages|examples|bench|e2e)\/(?:[^/]+\/)?src\/(.+)\.[cm]?ts$/;
const KEBAB_CASE = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.test|\.d)?$/;

/** Names that say nothing about what is inside, so anything ends up there. */
const SAYS_NOTHING = new Set(['utils', 'util', 'helpers', 'common', 'misc']);

/**
 * Source files and folders are named in kebab-case after one concept.
 *
 * @param {readonly string[]} files
 * @returns {string[]} problems
 */
export function checkSourceNames(files) {
  const problems = [];
  for (const file of files) {
    const parts = SOURCE.exec(file)?.[1].split('/');
    if (parts === undefined) continue;
    if (!parts.every((part) => KEBAB_CASE.test(part))) problems.push(`${file}: is not named in kebab-case.`);
    const vague = parts.find((part) => SAYS_NOTHING.has(part.replace(/\.test$/, '')));
    if (vague !== undefined) problems.push(`${file}: "${vague}" says nothing; name it after the concept inside.`);
  }
  return problems;
}
