import { expect } from 'chai';
import { call } from './support/http-call.js';
import { MESHER_BIN } from './support/sidecar.js';
import { useScene } from './support/scene.js';

describe('a transparent sidecar that is asked to end while it starts', () => {
  const scene = useScene();

  it('ends, and does not stay for the listener that it was about to open', async () => {
    const [port, admin] = [await scene().ports.take(), await scene().ports.take()];
    const config = await scene().write(
      'conf/mesher.yaml',
      JSON.stringify({
        'servicecomb.service.name': 'shop',
        'servicecomb.protocols.rest-admin.listenAddress': `127.0.0.1:${admin}`,
        'servicecomb.registry': { type: 'file', address: scene().registry },
        transparent: { port },
      }),
    );
    const args = [MESHER_BIN, '--mode=transparent', `--config=${config}`];
    const child = scene().spawn('mesher', process.execPath, args);
    await child.untilPrinted(/"msg":"registry: /);
    // The admin port is opened first; then comes what asks the kernel, which is loaded for that.
    while (!(await answers(admin))) await new Promise((resolve) => setImmediate(resolve));
    child.signal('SIGTERM');
    expect(await child.exited).to.deep.equal({ code: 0, signal: null });
  });
});

function answers(port: number): Promise<boolean> {
  return call(`http://127.0.0.1:${port}/live`).then(
    () => true,
    () => false,
  );
}
