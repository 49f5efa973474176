import type { StreamObserver } from './stream-observer.js';

/**
 * Looks at the first bytes of a client. `taken`: they are HTTP, and the client's socket has another owner now. `passed`: they are something
 * that passes unread. `unclear`: more are needed to tell. An observer: they pass, and it sees them.
 */
export type FirstBytes = (bytes: Buffer) => 'taken' | 'passed' | 'unclear' | StreamObserver;
