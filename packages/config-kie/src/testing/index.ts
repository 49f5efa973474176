export { FakeKie } from './fake-kie.js';
export type { FakeKieOptions } from './fake-kie.js';
export type { KieLabels, KieServer } from './kie-server.js';
