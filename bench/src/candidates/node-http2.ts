import { fileURLToPath } from 'node:url';
import type { Found } from './candidate.js';
import type { PipingTask } from './http2-piping-main.js';

/** A proxy of `node:http2` streams: what Mesher's own frame core is measured beside. */
export function findNodeHttp2(): Found {
  const program = fileURLToPath(new URL('http2-piping-main.js', import.meta.url));
  return {
    candidates: [
      {
        id: 'node-h2',
        layer: 'h2',
        label: `node:http2 piping, Node.js ${process.versions.node}`,
        async prepare(site) {
          const port = await site.pickPort();
          const grpcPort = await site.pickPort();
          const task: PipingTask = {
            routes: [
              { port, upstreamPort: site.http2Port },
              { port: grpcPort, upstreamPort: site.grpcPort },
            ],
          };
          return { programs: [{ command: process.execPath, args: [program, JSON.stringify(task)] }], port, grpcPort };
        },
      },
    ],
    missing: [],
  };
}
