import { expect } from 'chai';
import { readFile, readdir } from 'node:fs/promises';
import { withConfFolder } from '../testing/conf-folder.js';
import { checkConfiguration } from './config-check.js';

const GUIDES = new URL('../../../../docs/guides/', import.meta.url);

/** A fragment that shows route rules by themselves. */
const RULES_ALONE = /^- /;
/** Not configuration: the instances that `mesher explain --config` is asked with. */
const INSTANCES = /^# instances\.yaml\n/;

/** The YAML blocks of a page, those of configuration only. */
function configurations(markdown: string): string[] {
  return [...markdown.matchAll(/^```yaml\n(.*?)^```/gms)]
    .map(([, text]) => text ?? '')
    .filter((text) => !INSTANCES.test(text))
    .map((text) => (RULES_ALONE.test(text) ? under('servicecomb.routeRule.world', text) : text));
}

function under(key: string, yaml: string): string {
  return `${key}:\n${yaml.replaceAll(/^/gm, '  ')}`;
}

describe('the guides', () => {
  it('show configuration that a start takes, without a mistyped or outdated key', async () => {
    let checked = 0;
    for (const page of (await readdir(GUIDES)).filter((name) => name.endsWith('.md'))) {
      for (const yaml of configurations(await readFile(new URL(page, GUIDES), 'utf8'))) {
        await withConfFolder({ 'chassis.yaml': yaml }, async (dir) => {
          let said = '';
          const code = await checkConfiguration(dir, {}, (text) => (said += text));
          expect([code, said.replaceAll(dir, page)]).to.deep.equal([0, `${page}: good (2 files, 0 notices)\n`]);
        });
        checked += 1;
      }
    }
    expect(checked).to.be.greaterThan(15);
  });
});
