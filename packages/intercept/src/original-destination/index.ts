/** What a transparent listener needs: the way `@mesher/intercept/original-destination` leaves rules and their planner unloaded. */
export { OriginalDestinations, transparentDestination } from './original-destinations.js';
export type { IsOwnListener, OriginalDestination } from './original-destinations.js';
export { KeptSource } from './kept-source.js';
export type { SocketAddress } from './sockaddr.js';
export { loadSystemCalls } from './system-calls.js';
export type { SystemCalls } from './system-calls.js';
