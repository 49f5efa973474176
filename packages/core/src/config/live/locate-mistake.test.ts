import { expect } from 'chai';
import { MeshError } from '../../errors.js';
import { loadFiles, NAMED } from '../../testing/load-files.js';
import { locateMistake } from './locate-mistake.js';

async function locate(message: string): Promise<string> {
  const { effective, said } = await loadFiles({
    ...NAMED,
    'chassis.yaml': 'servicecomb.handler.chain.Consumer.outgoing: loadblance,transport\n',
    'mesher.yaml': 'plugin:\n  sourceResolver: dns\n',
  });
  return said([locateMistake(new MeshError('MESH_ERR_UNKNOWN_PLUGIN', message), effective)]).join('\n');
}

describe('a mistake that shows when parts are put together', () => {
  it('is found by the key and the value that its message names', async () => {
    expect(await locate("servicecomb.handler.chain.Consumer.outgoing names 'loadblance'")).to.match(
      /^chassis\.yaml:1:46 {2}servicecomb\.handler\.chain\.Consumer\.outgoing\[0\] /,
    );
    expect(await locate("plugin.sourceResolver: there is no source-resolver 'dns'")).to.match(
      /^mesher\.yaml:2:19 {2}plugin\.sourceResolver {2}plugin/,
    );
  });

  it('is found by the value below a part of the key', async () => {
    expect(await locate("servicecomb.handler names 'loadblance'")).to.match(/^chassis\.yaml:1:46 /);
  });

  it('has no place when the message names none that is written', async () => {
    expect(await locate('something else')).to.equal('something else');
    expect(await locate("plugin.destinationResolver.http: 'host'")).to.equal("plugin.destinationResolver.http: 'host'");
    expect(await locate("servicecomb.hand names 'loadblance'")).to.equal("servicecomb.hand names 'loadblance'");
  });
});
