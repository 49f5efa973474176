import { expect } from 'chai';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CHASSIS_SECTIONS, formatProblems, loadConfiguration, pluginSections } from '@mesher/core';
import { redisLimiter } from './redis-limiter.js';
import { redisLimiterSchema } from './settings.js';

const README = fileURLToPath(new URL('../README.md', import.meta.url));

describe('the README of @mesher/limiter-redis', () => {
  it('shows a configuration that loads without a remark, and hides the password', async () => {
    const text = await readFile(README, 'utf8');
    const yaml = /```yaml\n([^]*?)```/.exec(text)?.[1] ?? '';
    expect(yaml).to.contain('redis');
    const folder = await mkdtemp(join(tmpdir(), 'mesher-limiter-'));
    try {
      await writeFile(join(folder, 'mesher.yaml'), yaml);
      const sections = { ...CHASSIS_SECTIONS, ...pluginSections([redisLimiter]) };
      const env = { CAS_COMPONENT_NAME: 'orders', REDIS_PASSWORD: 'sesame' };
      const { document, errors, notices, effective } = await loadConfiguration({ confDir: folder, env, sections });
      expect(formatProblems([...errors, ...notices])).to.equal('');
      const settings = document?.section('plugin.settings.redis', redisLimiterSchema);
      expect(settings?.password).to.equal('sesame');
      expect(JSON.stringify(effective)).to.not.contain('sesame');
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('names every setting', async () => {
    const text = await readFile(README, 'utf8');
    const keys = redisLimiterSchema.referenceRows('').map(({ key }) => key.split('.').at(-1) ?? '');
    expect(keys.filter((key) => !text.includes(key))).to.deep.equal([]);
  });
});
