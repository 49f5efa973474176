import { expect } from 'chai';
import { skipBecause } from '@mesher/core/testing';
import { builtProgram, requireBuilt } from '../support/built-program.js';
import { requireProgram } from '../support/command.js';
import { eventually } from '../support/eventually.js';
import { JAEGER_READY, jaegerArgs, spansOf, USUAL_PORTS, type JaegerSpan } from '../support/jaeger.js';
import { NetrameshExample, OUTSIDE, type SidecarProgram } from '../support/netramesh-example.js';
import { requireNetworkNamespaces } from '../support/network-namespaces.js';

/** Path of a netramesh that somebody has built. */
const NETRAMESH = process.env['MESHER_NETRAMESH'] ?? '';
const THEIRS: SidecarProgram = { netramesh: NETRAMESH };

describe("netramesh's example with a real Jaeger", () => {
  let example: NetrameshExample | undefined;

  before(function () {
    requireNetworkNamespaces(this, 'iptables-nft', 'curl', 'setpriv');
    requireProgram(this, 'nginx', '-v');
    requireBuilt(this, 'all-in-one');
  });

  afterEach(async () => {
    await example?.close();
    example = undefined;
  });

  for (const [title, nginx, app] of [
    ['beside both pods', 'mesher', 'mesher'],
    ['beside the application, netramesh beside nginx', THEIRS, 'mesher'],
    ['beside nginx, netramesh beside the application', 'mesher', THEIRS],
  ] as const) {
    it(`shows each call in one trace of linked spans, with Mesher ${title}`, async function () {
      if ((nginx !== 'mesher' || app !== 'mesher') && NETRAMESH === '') {
        skipBecause(this, 'MESHER_NETRAMESH does not say where a netramesh is');
      }
      example = await NetrameshExample.create();
      const jaeger = example.outside.spawn(builtProgram('all-in-one'), jaegerArgs('0.0.0.0', USUAL_PORTS), {
        env: { OTEL_TRACES_SAMPLER: 'always_off' },
      });
      await jaeger.untilPrinted(JAEGER_READY);
      await example.sidecar('nginx', nginx);
      await example.sidecar('app', app);
      for (let i = 0; i < 3; i++) expect(await example.curl(`/call${i}`)).to.contain(`hello from the app /call${i}`);

      const spans = await allSpans(example, 9);
      const traces = new Set(spans.map(({ traceID }) => traceID));
      expect(traces.size, JSON.stringify(spans, undefined, 1)).to.equal(3);
      for (const trace of traces) expectLinked(spans.filter(({ traceID }) => traceID === trace));
    });
  }
});

function expectLinked(trace: readonly JaegerSpan[]): void {
  const spanOf = (service: string, kind: string): JaegerSpan | undefined =>
    trace.find((span) => span.service === service && span.tags['span.kind'] === kind);
  const [front, between, back] = [
    spanOf('default.nginx', 'server'),
    spanOf('default.nginx', 'client'),
    spanOf('default.app', 'server'),
  ];
  const told = JSON.stringify(trace, undefined, 1);
  expect(trace, told).to.have.length(3);
  expect([front?.parent, between?.parent, back?.parent], told).to.deep.equal(['', front?.spanID, between?.spanID]);
  expect(String(back?.tags['http.status_code'])).to.equal('200');
}

async function allSpans({ outside }: NetrameshExample, count: number): Promise<JaegerSpan[]> {
  const url = `http://${OUTSIDE}:${USUAL_PORTS.query}/api/traces?service=default.nginx&limit=1000`;
  return await eventually(`${count} spans in Jaeger`, async () => {
    const spans = spansOf(await outside.must('curl', ['-sS', url]));
    return spans.length >= count && spans;
  });
}
