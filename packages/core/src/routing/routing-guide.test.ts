import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { CHASSIS_SECTIONS } from '../composition/chassis-sections.js';
import { loadFiles, NAMED } from '../testing/load-files.js';
import { codeBlocks } from '../testing/markdown-blocks.js';

const GUIDE = new URL('../../../../docs/guides/routing.md', import.meta.url);

describe('the guide to routing', () => {
  it('shows configuration that loads as it stands, without a remark', async () => {
    const blocks = codeBlocks(await readFile(GUIDE, 'utf8')).filter(({ language }) => language === 'yaml');
    expect(blocks).to.have.length(4);
    for (const { text } of blocks) {
      // A block that begins with a list shows rules of a service.
      const whole = text.startsWith('-') ? `servicecomb.routeRule.world:\n${text}` : text;
      const { errors, notices, said } = await loadFiles(
        { ...NAMED, 'router.yaml': whole },
        { sections: CHASSIS_SECTIONS },
      );
      expect([...said(errors), ...said(notices)], text).to.deep.equal([]);
    }
  });
});
