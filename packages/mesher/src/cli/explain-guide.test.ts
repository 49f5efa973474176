import { expect } from 'chai';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withConfFolder } from '../testing/conf-folder.js';
import { runExplain } from '../testing/run-explain.js';

const GUIDE = new URL('../../../../docs/guides/explain.md', import.meta.url);

/** The code blocks of a language, whole. */
function blocks(markdown: string, language: string): string[] {
  return [...markdown.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, text]) => text ?? '');
}

describe('the guide to explain', () => {
  it('shows files and an answer that are real', async () => {
    const guide = await readFile(GUIDE, 'utf8');
    const [instances = '', router = ''] = blocks(guide, 'yaml');
    expect(instances).to.match(/^# instances\.yaml\n/);
    expect(router).to.match(/^# conf\/router\.yaml\n/);
    const files = { 'mesher.yaml': '', 'router.yaml': router, 'given/instances.yaml': instances };
    await withConfFolder(files, async (config) => {
      const given = join(config, 'given/instances.yaml');
      const { code, out, err } = await runExplain({ header: ['x-user: 1'], config, instances: given });
      expect([code, err]).to.deep.equal([0, '']);
      const said = out.split('\n').map((line) => line.replaceAll(/\s+/g, ' ').trim());
      const [answer = ''] = blocks(guide, 'text');
      // What changes from run to run is left aside: times, and the mark of the process.
      const shown = answer.split('\n').filter((line) => !/ago$|x-mesher-hop|^ +\.\.\.$/.test(line));
      for (const line of shown) expect(said).to.include(line.replaceAll(/\s+/g, ' ').trim());
    });
  });
});
