export { AgentDouble } from './agent-double.js';
export { CollectorDouble } from './collector-double.js';
export type { CollectedSpan } from './collector-double.js';
