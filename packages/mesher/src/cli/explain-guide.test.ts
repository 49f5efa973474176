import { expect } from 'chai';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withConfFolder } from '../testing/conf-folder.js';
import { explainCall } from './explain.js';

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
    await withConfFolder({ 'mesher.yaml': '', 'router.yaml': router }, async (dir) => {
      const file = join(dir, '..', `${dir.split('/').at(-1) ?? ''}-guide.yaml`);
      await writeFile(file, instances);
      let out = '';
      let err = '';
      const terminal = {
        out: (text: string) => void (out += text),
        err: (text: string) => void (err += text),
        colour: false,
        columns: 160,
      };
      const options = { header: ['x-user: 1'], protocol: 'http', admin: '', config: dir, instances: file };
      const code = await explainCall('GET', 'http://world/v2', options, {}, terminal);
      expect([code, err]).to.deep.equal([0, '']);
      const said = out.split('\n').map((line) => line.replaceAll(/\s+/g, ' ').trim());
      const [answer = ''] = blocks(guide, 'text');
      // What changes from run to run is left aside: times, and the mark of the process.
      const shown = answer.split('\n').filter((line) => !/ago$|x-mesher-hop|^ +\.\.\.$/.test(line));
      for (const line of shown) expect(said).to.include(line.replaceAll(/\s+/g, ' ').trim());
    });
  });
});
