/**
 * Every direct way to time and chance, and the port to ask instead. Code that asks `Ports` can be tested with the clock held
 * still and replayed from a seed; code that asks the globals cannot.
 */
const CLOCK_NOW = 'Take a Clock: `ports.clock.now()` is monotonic milliseconds.';
const CLOCK_WALL = 'Take a Clock: `ports.clock.wallTime()` is milliseconds since 1970, also for `new Date(wallTime)`.';
const RANDOM = 'Take a Random: `ports.random.next()` is a number in [0, 1).';
const TIMERS_AFTER = 'Take Timers: `ports.timers.after(ms, callback)` returns a handle with `cancel()`.';
const TIMERS_EVERY = 'Take Timers: `ports.timers.every(ms, callback)` returns a handle with `cancel()`.';

const GLOBALS = [
  { name: 'setTimeout', message: TIMERS_AFTER },
  { name: 'setInterval', message: TIMERS_EVERY },
];

const PROPERTIES = [
  { object: 'Date', property: 'now', message: CLOCK_WALL },
  { object: 'performance', property: 'now', message: CLOCK_NOW },
  { object: 'process', property: 'hrtime', message: CLOCK_NOW },
  { object: 'Math', property: 'random', message: RANDOM },
  { object: 'AbortSignal', property: 'timeout', message: `${TIMERS_AFTER} Abort an AbortController from it.` },
];

const SYNTAX = [
  { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: CLOCK_WALL },
  { selector: "CallExpression[callee.name='Date']", message: CLOCK_WALL },
];

const MODULES = ['timers', 'node:timers', 'timers/promises', 'node:timers/promises'].map((name) => ({
  name,
  message: `${TIMERS_AFTER} Await a promise that the callback resolves.`,
}));

/** Core rules that close these ways, for a flat configuration entry. */
export const timeAndChanceRules = {
  'no-restricted-globals': ['error', { globals: GLOBALS, checkGlobalObject: true }],
  'no-restricted-properties': ['error', ...PROPERTIES],
  'no-restricted-syntax': ['error', ...SYNTAX],
  'no-restricted-imports': ['error', { paths: MODULES }],
};
