export { FakeKie } from './fake-kie.js';
export type { FakeKieOptions } from './fake-kie.js';
export { KIE_BEHAVIOURS, checkBehaviour } from './kie-behaviour.js';
export type { KieBehaviour } from './kie-behaviour.js';
export { RealKie, START_LIMIT_MS } from './real-kie.js';
export type { KieLabels, KieServer } from './kie-server.js';
