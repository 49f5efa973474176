import { expect } from 'chai';
import { codeBlocks } from '@mesher/core/testing';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { requireCurl, requireProgram, run } from './support/command.js';
import { eventually } from './support/eventually.js';
import { useScene } from './support/scene.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const EXAMPLE = 'examples/greeter';
/** The ports of the example: 30141 and the like. */
const PORT = /\b[345]01[45]\d\b/g;
/** Ends what the shell has started when its input ends, which is when the shell or this process has ended, however it did. */
const WATCH = 'exec 3<&0; started=$(jobs -p); (cat <&3 > /dev/null; kill $started) &';
const CONFIGURED = ['greeter', 'hello'].map((name) => `conf/${name}/chassis.yaml`);

describe('the example of gRPC', () => {
  const scene = useScene();

  it('does what its page says, command by command', async function () {
    requireCurl(this);
    requireProgram(this, 'bash');
    // Word for word but for the ports, which may be taken, and the folder of the configuration, which is written to.
    const ports = new Map<string, string>();
    const page = await readFile(join(ROOT, EXAMPLE, 'README.md'), 'utf8');
    for (const [port] of page.matchAll(PORT)) {
      if (!ports.has(port)) ports.set(port, String(await scene().ports.take()));
    }
    await cp(join(ROOT, EXAMPLE, 'conf'), join(scene().folder, 'conf'), { recursive: true });
    for (const file of CONFIGURED) {
      const path = join(scene().folder, file);
      let text = await readFile(path, 'utf8');
      for (const [port] of text.matchAll(PORT)) {
        if (!ports.has(port)) ports.set(port, String(await scene().ports.take()));
      }
      text = text.replaceAll(PORT, (port) => ports.get(port) as string);
      await writeFile(path, text.replace('../../disco', join(scene().folder, 'disco')));
    }
    const [start = '', ...others] = codeBlocks(page)
      .filter(({ language }) => language === 'sh')
      .map(({ text }) => text.replaceAll(PORT, (port) => ports.get(port) as string))
      .map((text) => text.replaceAll(`${EXAMPLE}/conf`, join(scene().folder, 'conf')));
    const script = `${start}\n${WATCH}\necho all is ready; wait`;
    const shell = scene().spawn('the shell', 'bash', ['-c', script], {}, ROOT);
    await shell.untilPrinted(/all is ready/);
    const [byProxy = '', byAddress = '', errors = '', look = '', stop = ''] = others;
    const shown = async (commands: string): Promise<string[]> => {
      const { code, stdout, stderr } = await run('bash', ['-c', commands], {}, ROOT);
      expect([code, stderr]).to.deep.equal([0, '']);
      return stdout.trim().split('\n');
    };
    const greetings = (name: string): string[] => [
      `Hello, ${name}!`,
      ...[1, 2, 3].map((number) => `Hello number ${number}, ${name}!`),
    ];
    await eventually('the service is known', async () => (await shown(byAddress))[0] === 'Hello, Grace!');
    expect(await shown(byProxy)).to.deep.equal(greetings('Ada'));
    expect(await shown(byAddress)).to.deep.equal(greetings('Grace'));
    const [invalid, unknown] = await shown(errors);
    expect(invalid).to.equal('3: nobody to greet (x-mesher-error: none)');
    expect(unknown).to.match(/^12: .*\(x-mesher-error: MESH_ERR_NO_ROUTE\)$/);
    expect((await shown(look)).join('\n')).to.match(/mesher_grpc_requests_total\{.*grpc_status="OK".*\} [1-9]/);
    expect(stop).to.equal('kill %1 %2 %3\n');
  });
});
