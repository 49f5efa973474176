import { expect } from 'chai';
import { isMeshError } from '../errors.js';
import { readBootstrap, resolveConfDir, type Bootstrap } from './bootstrap.js';

const CWD = '/srv/app';

async function bootstrap(args: readonly string[], env: Record<string, string> = {}): Promise<Bootstrap> {
  return await readBootstrap({ args, env, cwd: CWD });
}

async function usageError(args: readonly string[], env: Record<string, string> = {}): Promise<string[]> {
  try {
    await bootstrap(args, env);
  } catch (error) {
    expect(isMeshError(error, 'MESH_ERR_USAGE')).to.equal(true);
    return (error as Error).message.split('\n');
  }
  throw new Error('nothing was thrown');
}

describe('readBootstrap', () => {
  it('has a default for everything', async () => {
    expect(await bootstrap([])).to.deep.equal({
      configFile: undefined,
      confDir: '/srv/app/conf',
      mode: 'sidecar',
      serviceName: undefined,
      servicePorts: [],
      drainTimeoutMs: 30_000,
      logLevel: undefined,
    });
  });

  it('reads flags with = and with a space', async () => {
    const args = ['--config=etc/mesher.yaml', '--mode', 'sidecar', '--service-ports', 'rest:8080, grpc:9000'];
    expect(await bootstrap([...args, '--drain-timeout=5s', '--log-level=DEBUG'])).to.deep.equal({
      configFile: '/srv/app/etc/mesher.yaml',
      confDir: '/srv/app/etc',
      mode: 'sidecar',
      serviceName: undefined,
      servicePorts: [
        { protocol: 'rest', port: 8080 },
        { protocol: 'grpc', port: 9000 },
      ],
      drainTimeoutMs: 5000,
      logLevel: 'debug',
    });
  });

  it('lets flags win over the environment', async () => {
    const env = { SERVICE_PORTS: 'rest:1', MESHER_LOG_LEVEL: 'warn', MESHER_DRAIN_TIMEOUT: '7' };
    expect((await bootstrap([], env)).servicePorts).to.deep.equal([{ protocol: 'rest', port: 1 }]);
    expect((await bootstrap([], env)).logLevel).to.equal('warn');
    expect((await bootstrap([], env)).drainTimeoutMs).to.equal(7000);
    expect((await bootstrap(['--service-ports=rest:2'], env)).servicePorts).to.deep.equal([
      { protocol: 'rest', port: 2 },
    ]);
  });

  it('uses SPECIFIC_ADDR only when no service ports are given', async () => {
    const env = { SPECIFIC_ADDR: '127.0.0.1:8080' };
    expect((await bootstrap([], env)).servicePorts).to.deep.equal([{ protocol: 'rest', port: 8080 }]);
    expect((await bootstrap(['--service-ports=rest:2'], env)).servicePorts).to.deep.equal([
      { protocol: 'rest', port: 2 },
    ]);
  });

  it('reports all mistakes at once', async () => {
    expect(
      await usageError(['--mode=side', '--service-ports=8080', '--drain-timeout=soon', '--log-level=loud']),
    ).to.deep.equal([
      '--mode=side is no mode; use --mode=sidecar or --mode=transparent',
      "'8080' is not {protocol}:{port}. Example: --service-ports=rest:8080,grpc:9000,rest-admin:8081",
      '--drain-timeout=soon is no duration up to 24h; write 30s or 500ms',
      '--log-level=loud is no level; use one of debug, info, warn, error',
    ]);
  });

  it('knows the modes to come and refuses them with a clear text', async () => {
    for (const mode of ['per-host', 'edge']) {
      const [message] = await usageError([`--mode=${mode}`]);
      expect(message).to.match(
        new RegExp(
          `^--mode=${mode} \\(.+\\) is not available in this version; use --mode=sidecar or --mode=transparent$`,
        ),
      );
    }
  });

  it('takes the name of the application from the command line, for every mode', async () => {
    expect(await bootstrap(['--mode=transparent', '--service-name=shop'], {})).to.include({
      mode: 'transparent',
      serviceName: 'shop',
    });
  });

  it("understands netramesh's levels in the mode that takes its place, and there alone", async () => {
    const level = async (mode: string, text: string): Promise<unknown> =>
      (await bootstrap([`--mode=${mode}`], { NETRA_LOGGER_LEVEL: text })).logLevel;
    expect(await level('transparent', 'Warning')).to.equal('warn');
    expect(await level('transparent', 'fatal')).to.equal('error');
    expect(await level('sidecar', 'loud')).to.equal(undefined);
    const env = { NETRA_LOGGER_LEVEL: 'loud' };
    const error = await bootstrap(['--mode=transparent'], env).then(undefined, (caught: unknown) => caught);
    expect(error).to.have.property('code', 'MESH_ERR_USAGE');
  });

  it('takes an empty variable for one that is not set', async () => {
    expect((await bootstrap([], { SERVICE_PORTS: '', CHASSIS_HOME: '', MESHER_MODE: '' })).confDir).to.equal(
      '/srv/app/conf',
    );
  });
});

describe('resolveConfDir', () => {
  const all = { confDir: '/conf', chassisHome: '/home', configFile: '/etc/mesher.yaml', cwd: CWD };

  it('prefers CHASSIS_CONF_DIR, then CHASSIS_HOME, then the folder of --config, then ./conf', () => {
    expect(resolveConfDir(all)).to.equal('/conf');
    expect(resolveConfDir({ ...all, confDir: '' })).to.equal('/home/conf');
    expect(resolveConfDir({ ...all, confDir: '', chassisHome: undefined })).to.equal('/etc');
    expect(resolveConfDir({ cwd: CWD })).to.equal('/srv/app/conf');
  });

  it('starts relative paths from the working folder', () => {
    expect(resolveConfDir({ confDir: 'c', cwd: CWD })).to.equal('/srv/app/c');
    expect(resolveConfDir({ configFile: 'mesher.yaml', cwd: CWD })).to.equal(CWD);
  });
});
