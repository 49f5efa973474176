import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { CHASSIS_SECTIONS } from '../../composition/chassis-sections.js';
import { loadFiles } from '../../testing/load-files.js';
import { codeBlocks } from '../../testing/markdown-blocks.js';

const GUIDE = new URL('../../../../../docs/guides/circuit-breaking.md', import.meta.url);

describe('the guide about circuit breaking', () => {
  const examples = codeBlocks(readFileSync(GUIDE, 'utf8')).filter(({ language }) => language === 'yaml');

  it('has examples', () => {
    expect(examples).to.have.length(2);
  });

  for (const { file = '', text } of examples) {
    it(`shows configuration that loads without a word: ${text.split('\n')[2]?.trim() ?? ''}`, async () => {
      const overrides = { 'servicecomb.service.name': 'orders' };
      const { errors, notices, said } = await loadFiles({ [file]: text }, { overrides, sections: CHASSIS_SECTIONS });
      expect([...said(errors), ...said(notices)]).to.deep.equal([]);
    });
  }
});
