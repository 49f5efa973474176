import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { skipBecause, type SkippableContext } from '@mesher/core/testing';

/** A program that scripts/install-peers.sh builds (GO_PEERS). */
export type BuiltProgram =
  'h2spec' | 'grpc-peer' | 'service-center' | 'etcd' | 'consul' | 'all-in-one' | 'chassis-peer' | 'statsd_exporter';

/** Path of a program of the peers rank, whether it was built or not. */
export function builtProgram(name: BuiltProgram): string {
  return fileURLToPath(new URL(`../../.cache/peers/${name}`, import.meta.url));
}

export function isBuilt(name: BuiltProgram): boolean {
  return existsSync(builtProgram(name));
}

/** Skips the test when the program was not built. */
export function requireBuilt(context: SkippableContext, name: BuiltProgram): void {
  if (!isBuilt(name)) skipBecause(context, `${name} was not built: scripts/install-peers.sh needs Go for it`);
}
