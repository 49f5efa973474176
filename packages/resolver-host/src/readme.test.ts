import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfiguration } from '@mesher/core';
import { expect } from 'chai';

describe('the README of @mesher/resolver-host', () => {
  it('shows settings that load without a complaint and are the defaults', async () => {
    const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
    const settings = /^```yaml\n([^]*?)^```$/m.exec(readme)?.[1] ?? '';
    const confDir = await mkdtemp(join(tmpdir(), 'mesher-resolver-host-'));
    const env = { CAS_COMPONENT_NAME: 'orders' };
    const without = await loadConfiguration({ confDir, env });
    await writeFile(join(confDir, 'mesher.yaml'), settings);
    const { document, errors, notices } = await loadConfiguration({ confDir, env });
    await rm(confDir, { recursive: true });
    expect([errors, notices]).to.deep.equal([[], []]);
    expect(document?.plugin.destinationResolver).to.deep.equal(without.document?.plugin.destinationResolver);
    expect(document?.plugin.sourceResolver).to.equal('default');
  });
});
