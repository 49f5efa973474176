import { expect } from 'chai';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { withConfFolder, type Files } from '../testing/conf-folder.js';
import { checkConfiguration } from './config-check.js';

/** Status and text of a check, with the folder written as DIR. */
async function check(files: Files): Promise<{ code: number; text: string }> {
  return await withConfFolder(files, async (dir) => {
    let text = '';
    const code = await checkConfiguration(dir, {}, (piece) => (text += piece));
    return { code, text: text.replaceAll(dir, 'DIR') };
  });
}

describe('config check', () => {
  it('is short about a good folder', async () => {
    expect(await check({ 'mesher.yaml': '' })).to.deep.equal({ code: 0, text: 'DIR: good (2 files, 0 notices)\n' });
  });

  it('passes a folder with notices, and prints them', async () => {
    const { code, text } = await check({ 'mesher.yaml': 'mesher:\n  severTiming: true\n' });
    expect(code).to.equal(0);
    expect(text).to.match(
      /^DIR\/mesher\.yaml:2:\d+ +mesher\.severTiming .*serverTiming.*\nDIR: good \(2 files, 1 notice\)\n$/,
    );
  });

  it('fails a folder with mistakes, prints all of them with file and line, and counts them', async () => {
    const { code, text } = await check({
      'mesher.yaml': 'mesher:\n  serverTiming: maybe\nadmin: { enable: perhaps }\n',
    });
    expect(code).to.equal(3);
    expect(text).to.match(/DIR\/mesher\.yaml:2:.*\n(.*\n)*DIR\/mesher\.yaml:3:/);
    expect(text).to.match(/DIR: 2 errors\n$/);
    expect((await check({ 'mesher.yaml': 'mesher.serverTiming: maybe\n' })).text).to.match(/DIR: 1 error\n$/);
  });

  it('knows the stores of shared limits that a start would have', async () => {
    const limits = (store: string): Files => ({
      'rate_limiting.yaml': `cse.flowcontrol.Consumer.qps: { limit: { world: 5 }, shared: { world: ${store} } }\n`,
    });
    expect((await check(limits('redis'))).code).to.equal(0);
    const { code, text } = await check(limits('radish'));
    expect(code).to.equal(3);
    expect(text).to.match(/there is no shared-limiter 'radish'; known are redis/);
  });

  const startFailures: readonly (readonly [what: string, files: Files, message: RegExp])[] = [
    [
      'an address that a sidecar cannot listen on',
      { 'chassis.yaml': 'servicecomb.protocols.http.listenAddress: "0.0.0.0:30101"\n' },
      /does not listen on 0\.0\.0\.0/,
    ],
    [
      'an address that is none of service-center',
      { 'chassis.yaml': 'servicecomb.registry: { type: servicecenter, address: "127.0.0.1:99999" }\n' },
      /servicecomb\.registry\.address: '127\.0\.0\.1:99999' is no address like/,
    ],
    [
      'a file of certificates that is not there',
      { 'chassis.yaml': 'servicecomb.registry.address: https://sc:30100\nssl.registry.Consumer.caFile: no.pem\n' },
      /chassis\.yaml:2:\d+ +ssl\.registry\.Consumer\.caFile.*no\.pem cannot be read/,
    ],
    [
      'an address that is none of Consul',
      { 'chassis.yaml': 'servicecomb.registry: { type: consul, address: "ftp://consul" }\n' },
      /'ftp:\/\/consul' is no address of Consul/,
    ],
    [
      'a resolver that nobody knows',
      { 'mesher.yaml': 'plugin.destinationResolver.grpc: hots\n' },
      /plugin\.destinationResolver\.grpc: .*'hots'; known are authority, host, ip/,
    ],
    [
      'a source resolver that nobody knows',
      { 'mesher.yaml': 'plugin.sourceResolver: dns\n' },
      /plugin\.sourceResolver.*'dns'/,
    ],
    [
      'a module that cannot be loaded',
      { 'mesher.yaml': 'plugin.destinationResolver.http: ./missing.js\n' },
      /'\.\/missing\.js' cannot be loaded/,
    ],
    [
      'a handler that nobody knows',
      { 'chassis.yaml': 'servicecomb.handler.chain.Consumer.outgoing: loadblance,transport\n' },
      /loadblance/,
    ],
    [
      'a registry that nobody knows',
      { 'chassis.yaml': 'servicecomb.registry: { type: flie }\n' },
      /'flie'; known are consul, file/,
    ],
  ];
  for (const [what, files, message] of startFailures) {
    it(`fails a folder with ${what}, as a start would`, async () => {
      const { code, text } = await check(files);
      expect([code, text]).to.satisfy(([status, said]: [number, string]) => status === 3 && message.test(said), text);
    });
  }

  it('fails a folder with settings that the config source refuses, and asks nobody', async () => {
    const uri = (address: string): Files => ({
      'chassis.yaml': `servicecomb.config.client.serverUri: ${address}\nplugin.settings.kie.caFile: missing.pem\n`,
    });
    expect(await check(uri('ftp://kie'))).to.include({ code: 3 });
    const { code, text } = await check(uri('http://127.0.0.1:1'));
    expect(code).to.equal(3);
    expect(text).to.match(/^DIR\/chassis\.yaml:2:29 {2}plugin\.settings\.kie\.caFile .*missing\.pem cannot be read/);
  });

  it('fails a folder whose health check would lead to the sidecar itself', async () => {
    const { code, text } = await check({
      'chassis.yaml': 'servicecomb.protocols.http.listenAddress: 127.0.0.1:30101\n',
      'mesher.yaml': 'localHealthCheck:\n- port: 30101\n',
    });
    expect(code).to.equal(3);
    expect(text).to.include("localHealthCheck: port '30101' is one of Mesher's own");
  });

  it('passes a folder for a config center that nobody can ask, and says so', async () => {
    const { code, text } = await check({
      'chassis.yaml': 'servicecomb.config.client: { serverUri: "http://127.0.0.1:1", type: apollo }\n',
    });
    expect(
      [code, text.includes("note: servicecomb.config.client.type: there is no config source 'apollo'")],
      text,
    ).to.deep.equal([0, true]);
  });

  it('passes a folder for a registry that comes with a later version, and says that a sidecar would not start', async () => {
    const { code, text } = await check({ 'chassis.yaml': 'servicecomb.registry.type: pilot\n' });
    expect(code).to.equal(0);
    expect(text).to.match(/^DIR: note: .*'pilot'.*would not start.*\nDIR: good/);
  });

  it('passes rules and policies for marks that no match group gives, and says where they are', async () => {
    const { code, text } = await check({
      'router.yaml': 'servicecomb.routeRule.world: |\n  - match: { refer: nosuch }\n    route: [{ weight: 100 }]\n',
      'rate_limiting.yaml': 'servicecomb.rateLimiting:\n  vip: { rate: 5 }\n',
    });
    expect(code).to.equal(0);
    expect(text).to.match(/^DIR\/rate_limiting\.yaml:2:16 {2}servicecomb\.rateLimiting\.vip .*'vip'/m);
    expect(text).to.match(/^DIR\/router\.yaml:2:21 {2}servicecomb\.routeRule\.world\[0\]\.match\.refer .*'nosuch'/m);
    expect(text).to.match(/^DIR: good \(3 files, 2 notices\)$/m);
  });

  it('makes nothing: no folder of the registry, no file', async () => {
    await withConfFolder({ 'chassis.yaml': 'servicecomb.registry: { type: file, address: made }\n' }, async (dir) => {
      expect(await checkConfiguration(dir, {}, () => {})).to.equal(0);
      expect(existsSync(join(dir, 'made'))).to.equal(false);
    });
  });

  it('asks for the folder when it is given a file', async () => {
    await withConfFolder({ 'mesher.yaml': '' }, async (dir) => {
      let text = '';
      expect(await checkConfiguration(join(dir, 'mesher.yaml'), {}, (piece) => (text += piece))).to.equal(2);
      expect(text).to.equal(
        `${dir}/mesher.yaml is a file; give the folder that holds it: mesher config check ${dir}\n`,
      );
    });
  });

  it('fails a folder that does not exist', async () => {
    let text = '';
    expect(await checkConfiguration('no-such-folder', {}, (piece) => (text += piece))).to.equal(3);
    expect(text).to.match(/does not exist/);
  });
});
