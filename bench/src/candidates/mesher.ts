import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GRPC_SERVICE } from '../net/grpc-call.js';
import { SERVICE } from '../net/request-head.js';
import type { Candidate, Found, LaunchPlan, Layer, Site } from './candidate.js';
import { BARE, BARE_HTTP2, FULL, FULL_HTTP2, RELAY, type MesherVariant } from './mesher-variants.js';
import { POLICY_VARIANTS } from './policy-variants.js';

const VARIANTS: readonly (readonly [MesherVariant, Layer])[] = [
  [FULL, 'l7'],
  [BARE, 'l7'],
  [FULL_HTTP2, 'h2'],
  [BARE_HTTP2, 'h2'],
  [RELAY, 'l4'],
  ...POLICY_VARIANTS.map((variant) => [variant, 'policies'] as const),
];

/**
 * The sidecar of this repository.
 *
 * @param repository the root of the checkout
 * @param node the Node.js binary to run it with
 */
export function findMesher(repository: string, node: string): Found {
  const program = join(repository, 'packages', 'mesher', 'bin', 'mesher.js');
  if (!existsSync(program)) {
    const reason = 'packages/mesher/bin/mesher.js does not exist; build the sidecar first';
    return { candidates: [], missing: VARIANTS.map(([variant]) => ({ id: variant.id, reason })) };
  }
  const { version } = JSON.parse(readFileSync(join(repository, 'packages', 'mesher', 'package.json'), 'utf8')) as {
    version: string;
  };
  const candidates = VARIANTS.map(([variant, layer]): Candidate => ({
    id: variant.id,
    layer,
    label: `mesher ${version}, ${variant.words}`,
    prepare: (site) => prepare(program, node, variant, layer, site),
  }));
  return { candidates, missing: [] };
}

async function prepare(
  program: string,
  node: string,
  variant: MesherVariant,
  layer: Layer,
  site: Site,
): Promise<LaunchPlan> {
  const outbound = await site.pickPort();
  const admin = await site.pickPort();
  const directory = join(site.folder, 'disco');
  mkdirSync(directory);
  // Two names of one upstream are two endpoints: a policy that chooses then has a choice.
  const addresses = layer === 'policies' ? ['127.0.0.1', 'localhost'] : ['127.0.0.1'];
  const write = (service: string, lines: readonly string[]): void =>
    writeFileSync(join(directory, service), lines.map((line) => `${line}\n`).join(''));
  if (layer === 'h2') {
    write(SERVICE, [`127.0.0.1 ${site.http2Port} protocol=h2c`]);
    write(GRPC_SERVICE, [`127.0.0.1 ${site.grpcPort} protocol=grpc`]);
  } else
    write(
      SERVICE,
      addresses.map((address) => `${address} ${site.upstreamPort}`),
    );
  writeFileSync(
    join(site.folder, 'chassis.yaml'),
    [
      'servicecomb:',
      '  registry:',
      '    type: file',
      `    address: ${directory}`,
      '  protocols:',
      '    http:',
      `      listenAddress: 127.0.0.1:${outbound}`,
      '    rest-admin:',
      `      listenAddress: 127.0.0.1:${admin}`,
      ...variant.chassisLines,
      '',
    ].join('\n'),
  );
  writeFileSync(
    join(site.folder, 'microservice.yaml'),
    'servicecomb:\n  service:\n    name: bench\n    version: 1.0.0\n',
  );
  for (const [name, text] of Object.entries(variant.files ?? {})) writeFileSync(join(site.folder, name), text);
  const config = join(site.folder, 'mesher.yaml');
  const programs = [{ command: node, args: [program, `--config=${config}`], env: variant.env }];
  const ready = { port: admin, path: '/ready' };
  if (layer !== 'l4') {
    writeFileSync(config, '');
    return { programs, port: outbound, ready };
  }
  const port = await site.pickPort();
  const sinkPort = await site.pickPort();
  writeFileSync(
    config,
    [
      'mesher:',
      '  listeners:',
      `    - {listen: "127.0.0.1:${port}", target: "127.0.0.1:${site.upstreamPort}", protocol: tcp}`,
      `    - {listen: "127.0.0.1:${sinkPort}", target: "127.0.0.1:${site.sinkPort}", protocol: tcp}`,
      '',
    ].join('\n'),
  );
  return { programs, port, sinkPort, ready };
}
