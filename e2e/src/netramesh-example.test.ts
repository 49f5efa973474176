import { expect } from 'chai';
import { fileURLToPath } from 'node:url';
import type { CollectedSpan } from '@mesher/tracing-otel/testing';
import { requireProgram } from './support/command.js';
import { eventually } from './support/eventually.js';
import { NetrameshExample } from './support/netramesh-example.js';
import { requireNetworkNamespaces } from './support/network-namespaces.js';

const AGENT = fileURLToPath(new URL('./programs/jaeger-agent-main.js', import.meta.url));

describe("netramesh's example, with its environment unchanged", () => {
  let example: NetrameshExample;
  let spans: () => CollectedSpan[];

  before(async function () {
    requireNetworkNamespaces(this, 'iptables-nft', 'curl', 'setpriv');
    requireProgram(this, 'nginx', '-v');
    example = await NetrameshExample.create();
    const agent = example.outside.spawn(process.execPath, [AGENT]);
    await agent.untilPrinted(/^listening$/m);
    spans = () =>
      [...agent.stdout.matchAll(/^span (.*)$/gm)].map(([, text]) => JSON.parse(text ?? '') as CollectedSpan);
  });

  after(async () => {
    await example?.close();
  });

  it('sends the spans of a call through nginx to the application to the agent, in one trace, and changes no byte', async () => {
    const paths = ['/', '/odd', '/missing?a=1'];
    const direct: string[] = [];
    for (const path of paths) direct.push(await example.curl(path));
    expect(direct[0]).to.contain('hello from the app /');
    await example.sidecar('nginx');
    await example.sidecar('app');
    for (const [index, path] of paths.entries()) expect(await example.curl(path)).to.equal(direct[index]);

    const collected = await eventually('nine spans', () => (spans().length >= 9 ? spans() : undefined));
    expect(new Set(collected.map(({ traceId }) => traceId)).size).to.equal(paths.length);
    const told = JSON.stringify(collected, undefined, 1);
    const first = collected.find(({ name, service }) => name === 'GET /odd' && service === 'default.nginx');
    const trace = collected.filter(({ traceId }) => traceId === first?.traceId);
    const spanOf = (service: string, kind: string): CollectedSpan | undefined =>
      trace.find((span) => span.service === service && span.kind === kind);
    const [front, between, back] = [
      spanOf('default.nginx', 'server'),
      spanOf('default.nginx', 'client'),
      spanOf('default.app', 'server'),
    ];
    expect(
      [front, between, back].map((span) => span?.parentSpanId),
      told,
    ).to.deep.equal(['', front?.spanId, between?.spanId]);
    expect(back?.tags).to.include({ 'http.status_code': '203', 'http.method': 'GET', 'http.path': '/odd' });
    expect(between?.name).to.match(/odd$/);
  });

  it('links the spans of a call of which nginx passes on no more than X-Request-Id, and its baggage', async () => {
    const answer = await example.curl('/by-id/head', '-H', 'uber-trace-id: def:18:0:1', '-H', 'uberctx-user: ann');
    expect(answer).to.match(/"uberctx-user","ann"/i);
    const trace = await eventually('three spans of the caller', () => {
      const found = spans().filter(({ traceId }) => traceId === 'def'.padStart(32, '0'));
      return found.length === 3 && found;
    });
    const parents = new Map(trace.map(({ service, kind, parentSpanId }) => [`${service} ${kind}`, parentSpanId]));
    const idOf = (service: string, kind: string): string | undefined =>
      trace.find((span) => span.service === service && span.kind === kind)?.spanId;
    expect(Object.fromEntries(parents)).to.deep.equal({
      'default.nginx server': '18'.padStart(16, '0'),
      'default.nginx client': idOf('default.nginx', 'server'),
      'default.app server': idOf('default.nginx', 'client'),
    });
  });

  it('speaks the header of Jaeger, once, and continues the trace of a caller', async () => {
    const answer = await example.curl('/head', '-H', 'uber-trace-id: abc:17:0:1', '-H', 'X-Request-Id: r-1');
    const head = JSON.parse(answer.split('\r\n\r\n')[1] ?? '') as string[];
    const values = (name: string): string[] =>
      head.filter((_, i) => i % 2 === 1 && head[i - 1]?.toLowerCase() === name);
    expect(values('uber-trace-id')).to.have.length(1);
    expect(values('uber-trace-id')[0]).to.match(/^0000000000000abc:[0-9a-f]{16}:[0-9a-f]{16}:1$/);
    expect(values('x-request-id')).to.deep.equal(['r-1']);
    expect(values('traceparent')).to.deep.equal([]);
    const trace = await eventually('three spans of the caller', () => {
      const found = spans().filter(({ traceId }) => traceId === 'abc'.padStart(32, '0'));
      return found.length === 3 && found;
    });
    expect(trace.map(({ parentSpanId }) => parentSpanId)).to.include('17'.padStart(16, '0'));
  });
});
