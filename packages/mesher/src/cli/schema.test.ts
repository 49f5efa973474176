import { expect } from 'chai';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withConfFolder } from '../testing/conf-folder.js';
import { writeSchema } from './schema.js';

interface Node {
  readonly properties?: Readonly<Record<string, Node>>;
  readonly description?: string;
}

async function schema(): Promise<Node> {
  let text = '';
  expect(await writeSchema(undefined, (piece) => (text += piece))).to.equal(0);
  return JSON.parse(text) as Node;
}

describe('the JSON Schema', () => {
  for (const key of [
    'servicecomb.service.name',
    'cse.loadbalance',
    'mesher.reload.debounce',
    'mesher.proxy.connectTimeout',
    'servicecomb.registry.file',
    'plugin.settings.kie.project',
  ]) {
    it(`has ${key}, be it of core, the proxy or a built-in plugin`, async () => {
      let node: Node | undefined = await schema();
      for (const part of key.split('.')) node = node?.properties?.[part];
      expect(node).to.be.an('object');
    });
  }

  it('is written to a file when one is named', async () => {
    await withConfFolder({}, async (dir) => {
      const output = join(dir, 'mesher.schema.json');
      let text = '';
      expect(await writeSchema(output, (piece) => (text += piece))).to.equal(0);
      expect(text).to.equal('');
      expect(JSON.parse(await readFile(output, 'utf8'))).to.deep.equal(await schema());
      expect(await writeSchema(join(dir, 'no/such/folder.json'), (piece) => (text += piece))).to.equal(1);
      expect(text).to.match(/cannot be written \(ENOENT\)/);
    });
  });
});
