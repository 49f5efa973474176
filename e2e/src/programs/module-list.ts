/**
 * To be loaded before a program (`--import`): on SIGUSR2 one line on stderr, `modules [...]`, says which modules the program has loaded,
 * by URL those that were imported and by path those that were required.
 */
import { createRequire, register } from 'node:module';
import { MessageChannel } from 'node:worker_threads';

const require = createRequire(import.meta.url);
const { port1, port2 } = new MessageChannel();
const imported = new Set<string>();
port1.on('message', (url: string) => imported.add(url)).unref();
register('./module-list-hooks.js', { parentURL: import.meta.url, data: port2, transferList: [port2] });

process.on('SIGUSR2', () => {
  // What was imported is told by another thread; by the next turn it has come.
  setImmediate(() => process.stderr.write(`modules ${JSON.stringify([...imported, ...Object.keys(require.cache)])}\n`));
});
