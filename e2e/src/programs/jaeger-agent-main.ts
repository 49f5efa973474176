import { AgentDouble } from '@mesher/tracing-otel/testing';

/** An agent of Jaeger for tests in network namespaces: prints each span that comes to UDP port 6831 as a line `span {...}`. */
async function main(): Promise<void> {
  const agent = await AgentDouble.start(6831, '0.0.0.0');
  // It ends with the test that has started it, however that ends.
  process.stdin.resume().once('end', () => process.exit());
  process.stdout.write('listening\n');
  for (let shown = 0; ; shown++) {
    const spans = await agent.atLeast(shown + 1);
    process.stdout.write(`span ${JSON.stringify(spans[shown])}\n`);
  }
}

await main();
