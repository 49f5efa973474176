import type { Candidate, LaunchPlan, Layer, Site } from './candidate.js';

/** A command given with `--candidate NAME[:l7|l4|h2]=COMMAND`. */
export interface CustomCandidate {
  readonly name: string;
  readonly layer: Layer;
  readonly command: string;
}

/**
 * Reads `NAME[:l7|l4|h2]=COMMAND`; the layer is l7 unless given.
 *
 * @throws Error that says what is wrong, with an example
 */
export function parseCustom(text: string): CustomCandidate {
  const match = /^([\w.-]+)(?::(l7|l4|h2))?=(.+)$/s.exec(text);
  const [, name, layer, command] = match ?? [];
  if (name === undefined || command === undefined || !command.includes('{port}') || !command.includes('{upstream}')) {
    throw new Error(
      `--candidate "${text}" is not NAME[:l7|l4|h2]=COMMAND with {port} and {upstream} in the command; ` +
        'for example --candidate "relay:l4=node relay.js {port} {upstream}"',
    );
  }
  return { name, layer: layer === 'l4' || layer === 'h2' ? layer : 'l7', command };
}

/**
 * Makes a candidate of a command. The command may begin with assignments (`IO=x node ...`) and must stay in the
 * foreground. A relay is started twice: to the HTTP upstream and to the sink; a candidate for h2 to the HTTP/2 upstream and to the
 * gRPC server.
 */
export function customCandidate({ name, layer, command }: CustomCandidate): Candidate {
  const program = (port: number, upstream: number) => ({
    command: '/bin/sh',
    args: ['-c', `exec env ${command.replaceAll('{port}', String(port)).replaceAll('{upstream}', String(upstream))}`],
  });
  return {
    id: name,
    layer,
    label: name,
    async prepare(site: Site): Promise<LaunchPlan> {
      const port = await site.pickPort();
      if (layer === 'l7') return { programs: [program(port, site.upstreamPort)], port };
      if (layer === 'h2') {
        const grpcPort = await site.pickPort();
        return { programs: [program(port, site.http2Port), program(grpcPort, site.grpcPort)], port, grpcPort };
      }
      const sinkPort = await site.pickPort();
      return { programs: [program(port, site.upstreamPort), program(sinkPort, site.sinkPort)], port, sinkPort };
    },
  };
}
