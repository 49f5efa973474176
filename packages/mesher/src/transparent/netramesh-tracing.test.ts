import { definePlugin, type SpanRecord } from '@mesher/core';
import { expect } from 'chai';
import { HttpSettingsRig } from '../testing/http-settings-rig.js';

/** The settings about tracing that netramesh has, in the transparent mode: HTTP_HEADER_TAG_MAP and so on set these keys. */
describe('tags and ignored paths of intercepted requests', () => {
  let rig: HttpSettingsRig;
  afterEach(() => rig.close());

  async function open(configuration: Record<string, string>): Promise<() => Promise<readonly SpanRecord[]>> {
    const spans: SpanRecord[] = [];
    const exporter = definePlugin({
      kind: 'span-exporter',
      name: 'double',
      create: () => ({
        open: () =>
          Promise.resolve({
            export: (batch: readonly SpanRecord[]) => Promise.resolve(void spans.push(...batch)),
            close: () => Promise.resolve(),
          }),
      }),
    });
    rig = await HttpSettingsRig.open({
      plugins: [exporter],
      configuration: { 'tracing.tracer': 'double', ...configuration },
    });
    return async () => {
      await rig.core.time.advanceAsync(3_000);
      return spans;
    };
  }

  it('are on spans of both directions, whether a trace begins there or not', async () => {
    const sent = await open({ 'tracing.headerTags.X-User': 'user', 'tracing.cookieTags.session': 'sid' });
    const fields = { 'x-user': 'jason', cookie: 'a=b; session=s1' };
    const traceparent = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`;
    await rig.call('inbound', await rig.app('own'), 'shop', { ...fields, traceparent });
    await rig.call('inbound', await rig.app('own2'), 'shop', fields);
    await rig.call('outbound', await rig.app('outside', '127.0.0.2'), 'outside', fields);
    const spans = await sent();
    expect(spans.map(({ kind, tags }) => [kind, tags['user'], tags['sid']])).to.have.deep.members([
      ['server', 'jason', 's1'],
      ['server', 'jason', 's1'],
      ['client', 'jason', 's1'],
    ]);
  });

  it('leave no span, and no context for what is called because of them', async () => {
    const sent = await open({ 'tracing.ignoredPaths': '/' });
    const own = await rig.call('inbound', await rig.app('own'), 'shop', { 'x-request-id': 'r' });
    expect(own.values('traceparent')).to.deep.equal([]);
    expect(own.values('x-request-id')).to.deep.equal(['r']);
    expect(await sent()).to.deep.equal([]);
  });
});
