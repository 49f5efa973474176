import { readFileSync } from 'node:fs';

/** Version of Mesher, from the package itself. */
export function mesherVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
