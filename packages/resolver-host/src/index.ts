export { destinationOf, splitAuthority } from './authority.js';
export type { Authority } from './authority.js';
export { HostResolver, authorityResolver, hostResolver } from './host-resolver.js';
export { IpResolver, ipResolver } from './ip-resolver.js';
export { AddressThenHeader, sourceResolver } from './source-resolver.js';
