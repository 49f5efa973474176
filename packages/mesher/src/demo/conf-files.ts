import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServiceLayout } from './layout.js';

/**
 * Writes the configuration folder of one sidecar, as a user would.
 * @returns path of mesher.yaml
 */
export async function writeConfiguration(folder: string, layout: ServiceLayout, registry: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  await writeFile(
    join(folder, 'chassis.yaml'),
    `servicecomb:
  protocols:
    http:
      listenAddress: ${layout.inboundHost}:${layout.meshPort}
    rest-admin:
      listenAddress: 127.0.0.1:${layout.adminPort}
  registry:
    type: file
    address: ${JSON.stringify(registry)}
`,
  );
  await writeFile(
    join(folder, 'microservice.yaml'),
    `servicecomb:
  service:
    name: ${layout.name}
    version: 1.0.0
`,
  );
  const mesherFile = join(folder, 'mesher.yaml');
  await writeFile(mesherFile, 'mesher:\n  serverTiming: true\n');
  return mesherFile;
}
