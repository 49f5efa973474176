export { FakeTime, SeededRandom, fakePorts, settle } from './fake-ports.js';
