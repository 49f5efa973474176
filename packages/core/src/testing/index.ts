export { FakeTime, SeededRandom, fakePorts, settle } from './fake-ports.js';
export { checkHistograms, findSamples, sampleValue } from './prometheus-samples.js';
export { parsePrometheusText } from './prometheus-text.js';
export type { PrometheusFamily, PrometheusSample } from './prometheus-text.js';
export { skipBecause } from './skip-because.js';
export type { SkippableContext } from './skip-because.js';
