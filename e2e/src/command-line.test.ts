import { expect } from 'chai';
import { run, type CommandResult } from './support/command.js';
import { useScene } from './support/scene.js';
import { MESHER_BIN } from './support/sidecar.js';

describe('the mesher command', () => {
  const scene = useScene();

  async function mesher(...args: string[]): Promise<CommandResult> {
    return await run(process.execPath, [MESHER_BIN, ...args], {}, scene().folder);
  }

  it('--version prints its version and that of Node on one line', async () => {
    const { code, stdout, stderr } = await mesher('--version');
    expect([code, stderr]).to.deep.equal([0, '']);
    expect(stdout).to.match(new RegExp(`^mesher \\d+\\.\\d+\\.\\d+\\S* \\(node ${process.version}\\)\n$`));
  });

  it('--help lists flags with their environment variables, the folder rules and the exit status', async () => {
    const { code, stdout } = await mesher('--help');
    expect(code).to.equal(0);
    for (const word of [
      '--config',
      '--mode',
      '--service-ports',
      'SERVICE_PORTS',
      '--drain-timeout',
      'config',
      'demo',
    ]) {
      expect(stdout).to.include(word);
    }
    expect(stdout).to.match(/CHASSIS_CONF_DIR, else \$CHASSIS_HOME\/conf/);
    expect(stdout).to.match(/Exit status: 0 .* 1 .* 2 .* 3 /);
  });

  const wrong: readonly (readonly [args: string[], message: RegExp])[] = [
    [['--service-ports=8080'], /'8080' is not \{protocol\}:\{port\}.*Example: --service-ports=rest:8080/],
    [['--service-ports=rest:0'], /'rest:0'.*1 to 65535.*Example: --service-ports=/],
    [['--service-ports=rest:80,http:81'], /second time.*Example/],
    [['--service-port', 'rest:80'], /unknown option '--service-port'[^]*--service-ports/],
    [['--nonsense'], /unknown option '--nonsense'[^]*mesher --help/],
    [['start'], /unknown command 'start'[^]*mesher --help/],
    [['--mode=edge'], /--mode=edge .* not available in this version; use --mode=sidecar/],
    [['--mode=nonsense'], /--mode=nonsense is no mode; use --mode=sidecar/],
    [['--drain-timeout=soon'], /--drain-timeout=soon is no duration .* write 30s or 500ms/],
    [['--log-level=loud'], /--log-level=loud is no level; use one of debug, info, warn, error/],
    [['config', 'chekc'], /chekc/],
    [['config', 'check', 'a', 'b'], /too many arguments for 'check'/],
    [['config', 'diff'], /missing required argument 'dir'/],
    [['config', 'diff', 'a', 'b', 'c'], /too many arguments for 'diff'/],
    [['schema', 'x'], /too many arguments for 'schema'/],
    [['demo', 'x'], /too many arguments for 'demo'/],
  ];
  for (const [args, message] of wrong) {
    it(`${args.join(' ')} ends with 2 and says what is wrong`, async () => {
      const { code, stdout, stderr } = await mesher(...args);
      expect(stderr).to.match(message);
      expect([code, stdout]).to.deep.equal([2, '']);
    });
  }

  it('-h is --help', async () => {
    expect((await mesher('-h')).stdout).to.equal((await mesher('--help')).stdout);
  });

  it('ends quietly when its reader has enough, as head does', async () => {
    const pipe = `set -o pipefail; "${process.execPath}" "${MESHER_BIN}" schema | head -1`;
    const { code, stdout, stderr } = await run('bash', ['-c', pipe], {}, scene().folder);
    expect([code, stdout, stderr]).to.deep.equal([0, '{\n', '']);
  });

  it('names everything that is wrong with the command line at once', async () => {
    const { code, stderr } = await mesher('--mode=x', '--service-ports=y', '--log-level=z');
    expect(code).to.equal(2);
    expect(stderr).to.include('--mode=x').and.to.include("'y'").and.to.include('--log-level=z');
  });
});
