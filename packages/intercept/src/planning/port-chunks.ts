import { mergePorts, type PortRange, type PortSet } from '../settings/port-set.js';

/** Ports that the multiport match of iptables takes in one rule; a range takes two places. */
const MULTIPORT_PLACES = 15;

/** The ports in groups that one rule can hold; one group without ports when all are meant. */
export function portChunks(ports: PortSet): readonly (readonly PortRange[] | undefined)[] {
  if (ports === '*') return [undefined];
  const chunks: PortRange[][] = [];
  let places = MULTIPORT_PLACES;
  for (const range of mergePorts(ports)) {
    const needed = range.first === range.last ? 1 : 2;
    if (places + needed > MULTIPORT_PLACES) {
      chunks.push([]);
      places = 0;
    }
    chunks.at(-1)?.push(range);
    places += needed;
  }
  return chunks;
}
