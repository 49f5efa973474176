import { expect } from 'chai';
import { withConfFolder, type Files } from '../testing/conf-folder.js';
import { createProgram } from './program.js';
import { runIntercept, type InterceptRequest } from './intercept.js';

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(
  action: InterceptRequest['action'],
  flags: Readonly<Record<string, string | boolean>> = {},
  env: NodeJS.ProcessEnv = {},
  format: InterceptRequest['format'] = 'table',
): Promise<Outcome> {
  let [out, err] = ['', ''];
  const streams = { out: (text: string) => (out += text), err: (text: string) => (err += text) };
  const request = { action, format, flags: new Map(Object.entries({ ipv6: 'false', ...flags })) };
  return { code: await runIntercept(request, env, streams), out, err };
}

describe('mesher intercept', () => {
  it('plan prints the rules in every format, without root', async () => {
    const table = await run('plan');
    expect([table.code, table.err]).to.deep.equal([0, '']);
    expect(table.out).to.match(/^family +table +chain +what +then +why\n/);
    expect((await run('plan', {}, {}, 'iptables')).out).to.match(/^# iptables-restore --noflush\n\*nat\n/);
    expect((await run('plan', {}, {}, 'nft')).out).to.include('table ip mesher {');
    expect(JSON.parse((await run('plan', {}, {}, 'json')).out)).to.have.keys('families', 'rules', 'routes');
  });

  it('plan shows the commands of routing that TPROXY needs', async () => {
    const { out } = await run('plan', { mode: 'TPROXY' });
    expect(out).to.include('ip -4 route add local 0.0.0.0/0 dev lo table 133\nip -4 rule add fwmark 1337 lookup 133\n');
  });

  it('apply --dry-run prints what would be fed to the program, and feeds nothing', async () => {
    const { code, out } = await run('apply', { 'dry-run': true });
    expect(code).to.equal(0);
    expect(out).to.match(/^# iptables-restore --noflush\n/);
    expect((await run('apply', { 'dry-run': true, backend: 'nft' })).out).to.match(/^table ip mesher\n/);
  });

  it('ends with 2 for a wrong value, and names every mistake', async () => {
    const { code, out, err } = await run('plan', { port: 'x', uid: 'root' });
    expect([code, out]).to.deep.equal([2, '']);
    expect(err).to.match(/--port: 'x' is no port.*\n--uid: 'root' is no numeric id/);
  });

  it('leaves alone the ports that the configuration of the sidecar moves, where its environment is given', async () => {
    const files = {
      'mesher.yaml':
        'mesher.metrics.port: 9464\npprof: { enable: true, listen: 127.0.0.1:9465 }\ntransparent.port: 15006\n',
      'chassis.yaml': 'servicecomb.protocols.rest-admin.listenAddress: 127.0.0.1:9466\n',
    };
    const planWith = (given: Files): Promise<Outcome> =>
      withConfFolder(given, (folder) => run('plan', {}, { CHASSIS_CONF_DIR: folder }));
    const { code, out, err } = await planWith(files);
    expect([code, err]).to.deep.equal([0, '']);
    for (const chain of ['MESHER_INBOUND', 'MESHER_OUTBOUND']) {
      expect(out).to.match(new RegExp(`${chain} .*9464:9466,.*15006.* RETURN +own-port`));
    }
    const wrong = await planWith({ 'mesher.yaml': 'mesher.metrics.port: many\n' });
    expect(wrong.code).to.equal(0);
    expect(wrong.err).to.match(/unless --own-ports names them: the configuration in .* has errors/);
  });

  it('tells of a variable that it does not know', async () => {
    const { code, err } = await run('plan', {}, { NETRA_SIDECAR_PROT: '1' });
    expect(code).to.equal(0);
    expect(err).to.match(/^mesher intercept: NETRA_SIDECAR_PROT is no variable of interception/);
  });

  it('takes the letters of istio-iptables, and its switches with a value', async () => {
    const program = createProgram(() => {});
    const command = program.commands.find((known) => known.name() === 'intercept');
    command?.action(() => undefined);
    const line = [
      'intercept',
      'plan',
      '-p',
      '15001',
      '-b',
      '*',
      '-x',
      '',
      '--redirect-dns=false',
      '-n',
      '--dual-stack',
    ];
    await program.parseAsync(line, { from: 'user' });
    expect(command?.opts()).to.deep.equal({
      format: 'table',
      envoyPort: '15001',
      istioInboundPorts: '*',
      istioServiceExcludeCidr: '',
      redirectDns: 'false',
      n: true,
      dualStack: true,
    });
  });
});
