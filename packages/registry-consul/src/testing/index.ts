export { ConsulServer } from './consul-server.js';
export type { ConsulServerOptions } from './consul-server.js';
export type { AclOptions, TokenRules } from './acl.js';
export type { Answer, Asked } from './http/listener.js';
export type { Failure } from './steering.js';
export { DATACENTER, NODE_ADDRESS, NODE_NAME } from './store/agent-store.js';
export type { CheckRecord, ServiceRecord, Status } from './store/records.js';
export type { KvEntry } from './store/kv-table.js';
