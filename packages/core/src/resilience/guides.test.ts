import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CHASSIS_SECTIONS } from '../composition/chassis-sections.js';
import { loadFiles, NAMED } from '../testing/load-files.js';
import { codeBlocks } from '../testing/markdown-blocks.js';

const GUIDES = fileURLToPath(new URL('../../../../docs/guides/', import.meta.url));

describe('the guides to rate limits, faults, gRPC and tracing', () => {
  for (const guide of ['rate-limiting.md', 'fault-injection.md', 'grpc.md', 'tracing.md']) {
    it(`show configuration that loads without a remark: ${guide}`, async () => {
      const blocks = codeBlocks(readFileSync(`${GUIDES}${guide}`, 'utf8')).filter(
        ({ language }) => language === 'yaml',
      );
      expect(blocks).to.not.be.empty;
      for (const { text } of blocks) {
        const { errors, notices, said } = await loadFiles(
          { ...NAMED, 'mesher.yaml': text },
          { sections: CHASSIS_SECTIONS },
        );
        // The settings of plugins are known where the plugins are.
        const remarks = notices.filter(({ path }) => !path.startsWith('plugin.settings'));
        expect(said([...errors, ...remarks])).to.deep.equal([]);
      }
    });
  }
});
