import { expect } from 'chai';
import { DirectAnswer, Rejection } from '../../errors.js';
import type { InstalledPlugins } from '../../plugin/installed-plugins.js';
import { BREAKER, bizkeeperRig } from '../../testing/bizkeeper-rig.js';

describe('the fallback of bizkeeper', () => {
  const OPEN = `${BREAKER}      forceOpen: true\n`;
  const PLUGINS: InstalledPlugins = {
    find: (kind, name) =>
      kind === 'fallback' && name === 'cached'
        ? ({
            answer: (_call: unknown, { code }: Rejection) =>
              new DirectAnswer('MESH_REDIRECT', 203, `instead of ${code}`),
          } as never)
        : undefined,
    names: () => ['cached'],
  };
  const policyYaml = (name: string): string => `  fallbackpolicy:\n    Consumer:\n      policy: ${name}\n`;

  it('answers with the error unless told otherwise', async () => {
    const { make } = await bizkeeperRig(OPEN);
    expect(make()).to.not.be.instanceOf(DirectAnswer);
  });

  it('answers with an empty 200 as returnnull, for HTTP', async () => {
    const { make } = await bizkeeperRig(OPEN + policyYaml('returnnull'));
    expect(make()).to.be.instanceOf(DirectAnswer);
    expect(make()).to.include({ status: 200, body: '', code: 'MESH_ERR_BREAKER_OPEN' });
    expect(make({ protocol: 'grpc' })).to.not.be.instanceOf(DirectAnswer);
  });

  it('is not used when it is disabled', async () => {
    const { make } = await bizkeeperRig(
      `${OPEN}${policyYaml('returnnull')}  fallback:\n    Consumer:\n      enabled: false\n`,
    );
    expect(make()).to.include({ status: 503 });
  });

  it('answers every call when forced', async () => {
    const { make } = await bizkeeperRig(
      `cse:\n${policyYaml('returnnull')}  fallback:\n    Consumer:\n      force: true\n`,
    );
    expect(make()).to.include({ status: 200, body: '' });
  });

  it('leaves calls that failed to plugins, which do not make a success of them', async () => {
    const failed = new Rejection('MESH_ERR_CONNECT');
    const limited = new Rejection('MESH_ERR_RATE_LIMITED');
    const nothing = await bizkeeperRig(OPEN + policyYaml('returnnull'));
    expect(nothing.policy.instead?.(nothing.call(), failed)).to.equal(failed);
    const custom = await bizkeeperRig(OPEN + policyYaml('cached'), { plugins: PLUGINS });
    expect(custom.policy.instead?.(custom.call(), failed)).to.include({
      code: 'MESH_ERR_CONNECT',
      status: 203,
      body: 'instead of MESH_ERR_CONNECT',
    });
    expect(custom.policy.instead?.(custom.call(), limited)).to.equal(limited);
    expect(custom.make()).to.include({ status: 203 });
  });

  it('passes on the error when a plugin gives back what is no answer', async () => {
    const code = 'MESH_ERR_BREAKER_OPEN';
    const answers: unknown[] = [undefined, null, 'text', {}, Promise.resolve(new Rejection(code))];
    answers.push(new DirectAnswer(code, 200, { price: 1 } as unknown as string));
    for (const answer of answers) {
      const find = (): never => ({ answer: () => answer }) as never;
      const plugins: InstalledPlugins = { ...PLUGINS, find };
      const { make, logger } = await bizkeeperRig(OPEN + policyYaml('cached'), { plugins });
      expect(make()).to.include({ code, status: 503 });
      expect(logger.lines.map(({ level }) => level)).to.include('error');
    }
  });

  it('passes on the error when a plugin throws', async () => {
    const plugins: InstalledPlugins = {
      find: () => ({ answer: () => { throw new Error('no') } }) as never, // prettier-ignore
      names: () => [],
    };
    const { make, logger } = await bizkeeperRig(OPEN + policyYaml('broken'), { plugins });
    expect(make()).to.include({ code: 'MESH_ERR_BREAKER_OPEN', status: 503 });
    expect(logger.lines.some(({ level }) => level === 'error')).to.equal(true);
  });

  it('refuses a name that nobody has, at the start and later, naming the known ones', async () => {
    const start = await bizkeeperRig(OPEN + policyYaml('none')).catch((error: unknown) => error);
    expect(start)
      .to.be.an('error')
      .with.property('message')
      .that.matches(/'none'.*known are returnnull, throwexception/);
    const { reconfigure } = await bizkeeperRig(OPEN, { plugins: PLUGINS });
    const later = await reconfigure(
      `cse:\n  fallbackpolicy:\n    Consumer:\n      world:\n        policy: none\n`,
    ).catch((error: unknown) => error);
    expect(later)
      .to.be.an('error')
      .with.property('message')
      .that.matches(/Consumer\.world\.policy.*cached/);
  });

  it('asks a fallback plugin once per call', async () => {
    const asked: string[] = [];
    const plugins: InstalledPlugins = {
      find: () => ({ answer: (_call: unknown, reason: Rejection) => asked.push(reason.code) && reason }) as never,
      names: () => ['mine'],
    };
    const yaml = `${BREAKER}      forceOpen: true\n  fallbackpolicy:\n    Consumer:\n      policy: mine\n`;
    const { make } = await bizkeeperRig(yaml, { plugins });
    make();
    expect(asked).to.deep.equal(['MESH_ERR_BREAKER_OPEN']);
  });
});
