import { definePlugin } from '@mesher/core';
import { httpInstance } from '@mesher/core/testing';
import { expect } from 'chai';
import { Agent } from 'node:http';
import { HttpSettingsRig, type RigSettings } from '../testing/http-settings-rig.js';

const ID = { 'x-request-id': 'r-1' };

describe('X-Source of requests that leave', () => {
  let rig: HttpSettingsRig;
  afterEach(() => rig.close());

  it('is set, whatever the program has written there, and not on requests that come in', async () => {
    rig = await HttpSettingsRig.open({ source: { enabled: true } });
    const outside = await rig.app('outside', '127.0.0.2');
    const answer = await rig.call('outbound', outside, 'outside', { 'x-source': ['forged', 'twice'] });
    expect(answer.values('x-source')).to.deep.equal(['netra']);
    const own = await rig.app('own');
    const inbound = await rig.call('inbound', own, 'shop', { 'x-source': 'caller' });
    expect(inbound.values('x-source')).to.deep.equal(['caller']);
    expect(inbound.values('x-request-id')[0], 'both have an id').to.match(/^[0-9a-f-]{36}$/);
    expect(answer.values('x-request-id')[0]).to.match(/^[0-9a-f-]{36}$/);
  });

  it('has the name and the value that are configured, on the way through the mesh, too', async () => {
    const source = { enabled: true, header: 'X-From', value: 'shop' };
    rig = await HttpSettingsRig.open({ source, transparent: { policy: 'mesh' } });
    const stock = await rig.app('stock');
    rig.core.discovery.publish('stock', [httpInstance(`127.0.0.1:${stock}`, { service: 'stock' })]);
    rig.chassis.directory.plan('stock');
    await rig.chassis.directory.whenKnown('stock');
    const answer = await rig.call('outbound', 9, 'stock', { 'x-from': 'forged' });
    expect([answer.app, answer.values('x-from')]).to.deep.equal(['stock', ['shop']]);
  });

  it('is not set unless it is switched on', async () => {
    rig = await HttpSettingsRig.open({});
    expect(rig.settings).to.equal(undefined);
    const outside = await rig.app('outside', '127.0.0.2');
    expect((await rig.call('outbound', outside, 'outside', { 'x-source': 'mine' })).values('x-source')).to.deep.equal([
      'mine',
    ]);
  });
});

describe('requests that say where they go', () => {
  let rig: HttpSettingsRig;
  let original: number;
  let canary: number;

  async function open(settings: RigSettings = {}): Promise<void> {
    const routing = { enabled: true, allow: ['localhost', '@services'], ...settings.routing };
    rig = await HttpSettingsRig.open({ ...settings, routing });
    [original, canary] = [await rig.app('original', '127.0.0.2'), await rig.app('canary')];
  }
  afterEach(() => rig.close());

  async function ask(headers: Record<string, string | string[]>, authority = 'stock'): Promise<string> {
    return (await rig.call('outbound', original, authority, headers)).app;
  }

  it('go there, under the name that they have, over connections that are kept', async () => {
    await open();
    const route = { 'x-route': `else=nowhere,stock=localhost:${canary},stock=third` };
    const first = await rig.call('outbound', original, 'stock', route);
    expect([first.app, first.values('host'), first.values('x-route')]).to.deep.equal([
      'canary',
      ['stock'],
      [route['x-route']],
    ]);
    const second = await rig.call('outbound', original, 'stock', route);
    expect([second.app, second.connection], 'one connection for two clients').to.deep.equal(['canary', 1]);
    expect(await rig.routed('routed')).to.equal(2);
  });

  it('of one connection go each its own way', async () => {
    await open();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const apps: string[] = [];
    const route = { 'x-route': `stock=localhost:${canary}` };
    for (const headers of [route, {}, route] as Record<string, string>[]) {
      apps.push((await rig.call('outbound', original, 'stock', headers, agent)).app);
    }
    agent.destroy();
    expect(apps).to.deep.equal(['canary', 'original', 'canary']);
  });

  it('are meant with the port of their host, and go on where no pair is for them, or leads to themselves', async () => {
    await open();
    expect(await ask({ 'x-route': `stock=localhost:${canary}` }, 'stock:8080')).to.equal('original');
    expect(await ask({ 'x-route': `stock:8080=localhost:${canary}` }, 'stock:8080')).to.equal('canary');
    expect(await ask({ 'x-route': 'stock=stock' })).to.equal('original');
    expect(await rig.routed('none')).to.equal(2);
  });

  it('say it by a cookie first, where that is switched on', async () => {
    await open({ routing: { cookieEnabled: true } });
    const third = await rig.app('third');
    const cookie = `a=1; X-Route=stock=localhost:${canary},x=y; b=2`;
    expect(await ask({ cookie, 'x-route': `stock=localhost:${third}` })).to.equal('canary');
    expect(await ask({ cookie: 'X-Route=', 'x-route': `stock=localhost:${third}` })).to.equal('third');
    await rig.close();
    await open();
    expect(await ask({ cookie: `X-Route=stock=localhost:${canary}` })).to.equal('original');
  });

  it('are never sent elsewhere when they come in, but lead those with their id, for a while', async () => {
    await open();
    const own = await rig.app('own');
    const route = `shop=localhost:${canary},stock=localhost:${canary}`;
    expect((await rig.call('inbound', own, 'shop', { ...ID, 'x-route': route })).app).to.equal('own');
    const answer = await rig.call('outbound', original, 'stock', ID);
    expect([answer.app, answer.values('x-route')], 'so that it goes on').to.deep.equal(['canary', [route]]);
    expect(await ask({ 'x-request-id': 'r-2' })).to.equal('original');
    const empty = await rig.call('outbound', original, 'stock', { ...ID, 'x-route': '' });
    expect(empty.values('x-route'), 'an empty one says nothing').to.deep.equal([route]);
    rig.core.time.advance(4_999);
    expect(await ask(ID)).to.equal('canary');
    rig.core.time.advance(1);
    expect(await ask(ID)).to.equal('original');
  });

  it('are not led by an id that nobody can have, which is replaced', async () => {
    await open();
    const own = await rig.app('own');
    const id = 'x'.repeat(257);
    const { fields, values } = await rig.call('inbound', own, 'shop', {
      'x-request-id': id,
      'x-route': `stock=localhost:${canary}`,
    });
    expect(values('x-request-id'), JSON.stringify(fields)).to.have.length(1);
    expect(values('x-request-id')[0]).to.match(/^[0-9a-f-]{36}$/);
    expect(await ask({ 'x-request-id': id })).to.equal('original');
  });

  it('go on where they were going when that is not allowed, or makes no sense: counted, and said once a minute', async () => {
    await open({ routing: { allow: ['0.0.0.0/0', 'free.example'] } });
    for (const to of [`127.0.0.1:${canary}`, `localhost:${canary}`, '169.254.169.254', 'secret.example', '[::1]:80']) {
      expect(await ask({ 'x-route': `stock=${to}` }), to).to.equal('original');
    }
    expect(await rig.routed('refused')).to.equal(5);
    for (const value of ['rubbish', 'stock=http://x', `stock=${'a'.repeat(2000)}`]) {
      expect(await ask({ 'x-route': value })).to.equal('original');
    }
    expect(await rig.routed('malformed')).to.equal(3);
    const lines = rig.logger.lines.filter(({ level }) => level === 'warn');
    expect(lines).to.have.length(2);
    expect(lines[0]?.fields).to.include({ host: 'stock', to: `127.0.0.1:${canary}`, requestsSoFar: 1 });
  });

  it('reach an address that is on the list, but no port of the sidecar', async () => {
    await open({ routing: { allow: ['127.0.0.1', 'localhost'] }, isOwnPort: (port) => port === 9 });
    expect(await ask({ 'x-route': `stock=127.0.0.1:${canary}` })).to.equal('canary');
    expect(await ask({ 'x-route': 'stock=127.0.0.1:9' })).to.equal('original');
    expect(await ask({ 'x-route': 'stock=localhost:9' })).to.equal('original');
  });

  for (const policy of ['observe', 'mesh'] as const) {
    it(`reach the instances of a known service, also past one that is not there (${policy})`, async () => {
      await open({ transparent: { policy }, routing: { allow: ['@services'] } });
      const second = await rig.app('second');
      const instances = [canary, second, 1].map((port) => httpInstance(`127.0.0.1:${port}`, { service: 'stock-next' }));
      rig.core.discovery.publish('stock-next', instances);
      rig.chassis.directory.plan('stock-next');
      await rig.chassis.directory.whenKnown('stock-next');
      const apps = new Set<string>();
      for (let i = 0; i < 6; i++) apps.add(await ask({ 'x-route': 'stock=stock-next' }));
      expect([...apps].sort()).to.deep.equal(['canary', 'second']);
      expect(rig.chassis.metrics.slotFor('outbound', 'stock-next')).to.be.greaterThan(-1);
    });
  }

  it('reach a known service only where services are on the list, or that one is', async () => {
    for (const [allow, app] of [
      [['localhost'], 'original'],
      [['stock-next:8080'], 'original'],
      [['stock-next'], 'canary'],
    ] as const) {
      await open({ routing: { allow } });
      rig.core.discovery.publish('stock-next', [httpInstance(`127.0.0.1:${canary}`, { service: 'stock-next' })]);
      rig.chassis.directory.plan('stock-next');
      await rig.chassis.directory.whenKnown('stock-next');
      expect(await ask({ 'x-route': 'stock=stock-next' }), allow[0]).to.equal(app);
      if (app === 'original') await rig.close();
    }
  });

  it('choose no port of those whom they reach by the mesh, unless the service is on the list', async () => {
    for (const [allow, ports] of [
      [['@services'], []],
      [['@services', 'stock-next:22'], ['22']],
    ] as const) {
      await open({ transparent: { policy: 'mesh' }, routing: { allow } });
      rig.core.discovery.publish('stock-next', [httpInstance(`127.0.0.1:${canary}`, { service: 'stock-next' })]);
      rig.chassis.directory.plan('stock-next');
      await rig.chassis.directory.whenKnown('stock-next');
      const answer = await rig.call('outbound', original, 'stock', { 'x-route': 'stock=stock-next:22' });
      expect([answer.app, answer.values('x-forwarded-port')]).to.deep.equal(['canary', ports]);
      if (ports.length === 0) await rig.close();
    }
  });

  it('are not sent elsewhere when the policies of the provider decide about them either', async () => {
    await open({ transparent: { policy: 'mesh' } });
    const own = await rig.app('own');
    const route = `shop=localhost:${canary},stock=localhost:${canary}`;
    expect((await rig.call('inbound', own, 'shop', { ...ID, 'x-route': route })).app).to.equal('own');
    expect(await ask(ID)).to.equal('canary');
  });

  it('belong to the trace of the request that led them', async () => {
    const exporter = definePlugin({
      kind: 'span-exporter',
      name: 'nowhere',
      create: () => ({
        open: () => Promise.resolve({ export: () => Promise.resolve(), close: () => Promise.resolve() }),
      }),
    });
    await open({ plugins: [exporter], configuration: { 'tracing.tracer': 'nowhere' } });
    const own = await rig.app('own');
    const inbound = await rig.call('inbound', own, 'shop', { ...ID, 'x-route': `stock=localhost:${canary}` });
    const outbound = await rig.call('outbound', original, 'stock', ID);
    const [, traceId, spanId] = inbound.values('traceparent')[0]?.split('-') ?? [];
    expect(outbound.app).to.equal('canary');
    expect(outbound.values('traceparent')).to.have.length(1);
    expect(outbound.values('traceparent')[0]).to.contain(traceId).and.not.to.contain(spanId);
  });
});
