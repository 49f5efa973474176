import { NETRAMESH_VARIABLES, formatOrigin } from '@mesher/core';
import { expect } from 'chai';
import { loadFiles } from '../testing/conf-folder.js';
import { transparentSchema, type TransparentOptions } from './transparent-schema.js';

describe('the variables of netramesh', () => {
  type Env = Record<string, string>;

  async function load(env: Env, mesherYaml = ''): Promise<Awaited<ReturnType<typeof loadFiles>>['configuration']> {
    const files = { 'chassis.yaml': 'servicecomb.registry.disabled: true\n', 'mesher.yaml': mesherYaml };
    return (await loadFiles(files, env)).configuration;
  }

  async function options(env: Env, mesherYaml = ''): Promise<TransparentOptions> {
    const { document, errors } = await load(env, mesherYaml);
    if (document === undefined) throw new Error(JSON.stringify(errors));
    return document.section('transparent', transparentSchema);
  }

  it('set what they set there', async () => {
    const env = {
      NETRA_PORT: '15001',
      NETRA_HTTP_PORTS: '80,8890',
      NETRA_HTTP_REQUEST_ID_HEADER_NAME: 'X-Req',
      NETRA_HTTP_X_SOURCE_HEADER_NAME: 'X-From',
      NETRA_HTTP_X_SOURCE_VALUE: 'shop',
      NETRA_HTTP_ROUTING_ENABLED: 'true',
      NETRA_HTTP_ROUTING_HEADER_NAME: 'X-To',
      NETRA_HTTP_ROUTING_COOKIE_ENABLED: 'true',
      NETRA_HTTP_ROUTING_COOKIE_NAME: 'to',
      NETRA_HTTP_ROUTING_ALLOW: '@services,10.0.0.0/8',
      NETRA_ROUTING_CONTEXT_EXPIRATION_MILLISECONDS: '7000',
      NETRA_ROUTING_CONTEXT_CLEANUP_INTERVAL: '250',
    };
    const { document, notices } = await load(env);
    const { port, httpPorts, source, routing } = document!.section('transparent', transparentSchema);
    expect({ port, httpPorts }).to.deep.equal({ port: 15_001, httpPorts: [80, 8890] });
    expect(document!.mesher.requestId.header).to.equal('X-Req');
    expect(source).to.deep.equal({ enabled: true, header: 'X-From', value: 'shop' });
    expect(routing).to.deep.equal({
      enabled: true,
      header: 'X-To',
      cookieEnabled: true,
      cookie: 'to',
      allow: ['@services', '10.0.0.0/8'],
      expiration: 7000,
      cleanupInterval: 250,
      maxContexts: 10_000,
    });
    expect(notices.map(({ path }) => path)).to.deep.equal(['transparent.source.enabled']);
  });

  it('leave requests alone when none of them is set', async () => {
    const { source, routing } = await options({});
    expect([source.enabled, routing.enabled]).to.deep.equal([false, false]);
    expect(routing.allow).to.deep.equal(['@services']);
  });

  it('of which any says that netramesh looked into requests switch the field with the source on, which a file undoes', async () => {
    for (const env of [{ NETRA_HTTP_PORTS: '80' }, { NETRA_HTTP_X_SOURCE_VALUE: 'shop' }] as Env[]) {
      expect((await options(env)).source.enabled, JSON.stringify(env)).to.equal(true);
      expect((await options(env, 'transparent.source.enabled: false')).source.enabled).to.equal(false);
    }
  });

  it('are switched on by the word true alone, which is said of all others', async () => {
    const { document, notices } = await load({ NETRA_HTTP_ROUTING_ENABLED: '1' });
    expect(document!.section('transparent', transparentSchema).routing.enabled).to.equal(false);
    expect(notices.map(({ message }) => message)).to.deep.equal([
      "'1' does not switch it on: only the word true does, as with netramesh",
    ]);
  });

  it('with numbers that are none stop the start, with variable, value and what is expected', async () => {
    const wrong: readonly (readonly [name: string, value: string, message: string])[] = [
      ['NETRA_PORT', '70000', "transparent.port  expects a whole number from 1 to 65535, found '70000'"],
      ['NETRA_HTTP_PORTS', '80,http', "transparent.httpPorts[1]  expects a whole number from 1 to 65535, found 'http'"],
      [
        'NETRA_ROUTING_CONTEXT_EXPIRATION_MILLISECONDS',
        'long',
        "transparent.routing.expiration  expects a duration with a unit, such as 30s, 500ms or 1m30s, found 'long'",
      ],
      [
        'NETRA_ROUTING_CONTEXT_CLEANUP_INTERVAL',
        '0',
        "transparent.routing.cleanupInterval  expects a duration from 10ms to 1h (this is 0s), found '0'",
      ],
      [
        'NETRA_TRACING_CONTEXT_EXPIRATION_MILLISECONDS',
        '5 s',
        "tracing.correlation.expiration  expects a duration with a unit, such as 30s, 500ms or 1m30s, found '5 s'",
      ],
      [
        'NETRA_HTTP_REQUEST_ID_HEADER_NAME',
        'X Request',
        "mesher.requestId.header  expects the name of a header field, such as X-Request-Id, found 'X Request'",
      ],
      ['NETRA_HTTP_REQUEST_ID_HEADER_NAME', 'Host', "mesher.requestId  header: 'Host' frames the message"],
      ['NETRA_HTTP_X_SOURCE_HEADER_NAME', 'Connection', "transparent.source  header: 'Connection' frames the message"],
      ['NETRA_HTTP_ROUTING_HEADER_NAME', 'te', "transparent.routing  header: 'te' frames the message"],
      ['NETRA_HTTP_X_SOURCE_VALUE', 'a\nb', "transparent.source.value  expects printable ASCII, found 'a\nb'"],
      [
        'NETRA_HTTP_ROUTING_ALLOW',
        '@services,http://orders',
        "transparent.routing.allow[1]  expects a host, host:port, *.suffix, address, net (10.0.0.0/8) or @services, found 'http://orders'",
      ],
    ];
    for (const [name, value, message] of wrong) {
      const { errors } = await load({ [name]: value });
      const said = errors.map((one) => `${formatOrigin(one.origin)}  ${one.path}  ${one.message}`);
      expect(said, name).to.have.length(1);
      expect(said[0], name).to.contain(message);
      expect(said[0]).to.match(new RegExp(`^environment variable ${name}  `));
    }
  });

  it('with targets that look right and are not stop the start, too', async () => {
    for (const entry of ['10.0.0.0/33', 'orders:70000', 'a..b', '*.10.0.0.1']) {
      const { errors } = await load({ NETRA_HTTP_ROUTING_ALLOW: entry });
      expect(errors.map(({ path, message }) => `${path} ${message}`)).to.deep.equal([
        `transparent.routing allow: '${entry}' is neither a host, host:port, *.suffix, address, net (10.0.0.0/8) nor @services`,
      ]);
    }
  });

  it('that nobody knows, or that are for the rules, are said', async () => {
    const { notices } = await load({ NETRA_HTTP_ROUTING_ENABLE: 'true', NETRA_SIDECAR_USER_ID: '1337' });
    expect(notices.map(({ path, message }) => `${path} ${message}`)).to.deep.equal([
      "NETRA_HTTP_ROUTING_ENABLE is not known; did you mean 'NETRA_HTTP_ROUTING_ENABLED'?",
      'NETRA_SIDECAR_USER_ID is for the rules: mesher intercept apply reads it',
    ]);
  });

  it('all set the key that their table names', async () => {
    const values: Env = {
      ...{ NETRA_PORT: '15001', NETRA_HTTP_PORTS: '81', NETRA_PROMETHEUS_PORT: '9999', NETRA_PPROF_PORT: '9998' },
      ...{ NETRA_STATSD_ADDRESS: 'statsd:8125', HTTP_HEADER_TAG_MAP: 'a:b', HTTP_COOKIE_TAG_MAP: 'a:b' },
    };
    for (const { name, key } of NETRAMESH_VARIABLES) {
      if (!key.includes('.')) continue;
      const isWord = /ENABLED$/.test(name);
      const isTime = /MILLISECONDS$|INTERVAL$/.test(name);
      const { effective } = await load({ [name]: values[name] ?? (isWord ? 'true' : isTime ? '1234' : 'some') });
      const from = effective.filter(({ origin }) => origin.layer === 'environment' && origin.name === name);
      expect(
        from.some(
          (value) =>
            value.key === key ||
            (['[', '.'].includes(value.key.slice(key.length, key.length + 1)) && value.key.startsWith(key)),
        ),
        `${name} ${JSON.stringify(from)}`,
      ).to.equal(true);
    }
  });
});
