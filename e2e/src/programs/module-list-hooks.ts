import type { LoadHook } from 'node:module';
import type { MessagePort } from 'node:worker_threads';

let told: MessagePort;

/** Called by Node with what {@link file://./module-list.ts} hands over. */
export function initialize(port: MessagePort): void {
  told = port;
}

/** Tells of each module that an `import` loads. */
export const load: LoadHook = (url, context, nextLoad) => {
  told.postMessage(url);
  return nextLoad(url, context);
};
