import { expect } from 'chai';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './support/command.js';
import { useScene } from './support/scene.js';
import { MESHER_BIN } from './support/sidecar.js';

describe('a link named netramesh to the mesher command', () => {
  const scene = useScene();

  it('starts the transparent mode where MESHER_MODE says so, and names all variables that cannot be used', async () => {
    const link = join(scene().folder, 'netramesh');
    await symlink(MESHER_BIN, link);
    const env = {
      MESHER_MODE: 'transparent',
      NETRA_PORT: 'abc',
      NETRA_ROUTING_CONTEXT_EXPIRATION_MILLISECONDS: '5 s',
      NETRA_HTTP_ROUTING_ALLOW: 'http://orders',
    };
    // Flags of programs in Go may have one dash.
    const { code, stderr } = await run(link, ['-service-name', 'default.front'], env, scene().folder);
    expect(code).to.equal(3);
    expect(stderr).to.contain(
      "environment variable NETRA_PORT  transparent.port  expects a whole number from 1 to 65535, found 'abc'",
    );
    expect(stderr).to.match(/NETRA_ROUTING_CONTEXT_EXPIRATION_MILLISECONDS {2}\S+ {2}expects a duration .*found '5 s'/);
    expect(stderr).to.match(/NETRA_HTTP_ROUTING_ALLOW {2}transparent.routing.allow\[0\] .*found 'http:\/\/orders'/);
  });
});
